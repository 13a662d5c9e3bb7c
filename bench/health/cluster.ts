import { writeFile } from 'node:fs/promises';
import { waitFor } from '../../common/waitFor.ts';
import { kmsClient } from '../../protos/kms/v2/client.ts';
import { startTestCluster, type TestCluster, type TestNode } from '../../test/integration/operatorCluster.ts';
import { createAccount } from '../../test/integration/reporterRun.ts';
import { findProcess } from '../processes.ts';

/** etcd, kube-apiserver and a plugin that serves three keys. */
export interface HealthCluster {
  readonly cluster: TestCluster;
  readonly node: TestNode;
  /** Absolute paths. */
  readonly sockets: readonly { readonly keyID: string; readonly path: string }[];
  /** Of kube-apiserver, which another one may have followed. */
  apiServerPid(): Promise<number>;
}

const keys = [1, 2, 3];

export const startHealthCluster = async (): Promise<HealthCluster> => {
  const cluster = await startTestCluster();
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  await createAccount(cluster);
  await writeFile(node.wishPath, JSON.stringify({ keys: keys.map((number) => ({ number, version: 1 })), faults: [] }));
  const sockets = keys.map((key) => ({ keyID: String(key), path: `${node.socketsDir}/kms-${key}.sock` }));
  for (const { path } of sockets) {
    const served = async (): Promise<true | undefined> => {
      const client = kmsClient(path, 1_000);
      const { ok } = await client.status().finally(() => client.close());
      return ok ? true : undefined;
    };
    await waitFor(served, { what: path, timeoutMs: 20_000, intervalMs: 50, next: `see ${node.dir}` });
  }
  return {
    cluster,
    node,
    sockets,
    apiServerPid: () => findProcess('kube-apiserver', `--bind-address=${node.address}`),
  };
};
