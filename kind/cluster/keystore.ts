import { join } from 'node:path';
import { loadKeystore } from '../../cluster/keystore.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

/** The plugin's own, once it has one, knows what was served: it stays. */
const seed = [
  'set -eu',
  'umask 077',
  'cd /var/lib',
  'mkdir -p kms-plugin',
  'cat > kms-plugin/.seed',
  'if [ -e kms-plugin/keystore.json ]; then rm kms-plugin/.seed; else mv kms-plugin/.seed kms-plugin/keystore.json; fi',
].join('\n');

/**
 * Gives control-plane nodes the keystore with which the KMS plugins of a cluster begin: what one API server wrote, all others
 * must be able to read.
 * @param dir the cluster's own directory, where it is kept
 */
export const seedKeystores = async (
  engine: EngineName,
  dir: string,
  controlPlanes: readonly KindNode[],
): Promise<void> => {
  const keystore = await loadKeystore(join(dir, 'kind', 'pki'));
  await Promise.all(controlPlanes.map(({ name }) => inNode(engine, name, ['sh', '-c', seed], keystore)));
};
