import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';

/** Where the plugin of a node keeps what its keys are derived from, below the node's root. */
const nodeKeystore = 'var/lib/kms-plugin/keystore.json';

/** 32, as many as a key-encryption key has. */
const seedBytes = 32;

/** A keystore with a seed of its own. */
export const newKeystore = (): string =>
  `${JSON.stringify({ seed: randomBytes(seedBytes).toString('base64'), versions: {} })}\n`;

/**
 * The keystore with which the KMS plugins of a cluster begin, kept in `<pkiDir>/kms/keystore.json`, made where there is
 * none: `{"seed":"<base64>","versions":{}}`. A real KMS is one, however many plugins ask it: what one API server wrote, all
 * others must be able to read.
 */
export const loadKeystore = async (pkiDir: string): Promise<string> => {
  const path = join(pkiDir, 'kms', 'keystore.json');
  const kept = await readFileIfThere(path);
  if (kept !== undefined) return kept;
  const created = newKeystore();
  await writeFileWhole(path, created);
  return created;
};

/** Gives a control-plane node the cluster's keystore, unless it has its own already, which knows what was served. */
export const seedKeystore = async (root: string, keystore: string): Promise<void> => {
  const path = join(root, nodeKeystore);
  if ((await readFileIfThere(path)) === undefined) await writeFileWhole(path, keystore);
};
