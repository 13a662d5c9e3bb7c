import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { openKeystore } from '../plugin/keystoreFile.ts';
import type { ClusterPlan } from './plan.ts';

/** Where the plugin of a node keeps its keys, below the node's root. */
const nodeKeystore = 'var/lib/kms-plugin/keystore.json';

/**
 * Gives a control-plane node the cluster's key-encryption keys, unless it has its own already. A real KMS is one,
 * however many plugins ask it: what one API server wrote, all others must be able to read.
 */
export const seedKeystore = async (plan: ClusterPlan, root: string): Promise<void> => {
  const path = join(root, nodeKeystore);
  if ((await readFileIfThere(path)) !== undefined) return;
  const shared = join(plan.dir, 'pki', 'kms');
  await openKeystore(shared);
  await writeFileWhole(path, await readFile(join(shared, 'keystore.json')), 0o600);
};
