import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ClusterAccess } from '../../cluster/access.ts';
import { apiPort } from '../../cluster/plan.ts';
import { writeFileWhole } from '../../common/files.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ 'certificate-authority-data': z.string() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) }),
  ]),
});

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString();

/** The credentials in the kubeconfig of a kind cluster. @throws where it has none inline */
export const credentialsIn = (
  kubeconfig: string,
): { readonly authority: string; readonly certificate: string; readonly key: string } => {
  const { clusters, users } = kubeconfigSchema.parse(parse(kubeconfig));
  const { user } = users[0];
  return {
    authority: decode(clusters[0].cluster['certificate-authority-data']),
    certificate: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
};

const pki = '/etc/kubernetes/pki';

/**
 * How to reach a kind cluster, in the files that all of the command line reads. The kubeconfig names a port of this
 * machine; `verify` and the like ask the nodes at their own addresses.
 */
export const writeKindAccess = async (
  dir: string,
  engine: EngineName,
  controlPlanes: readonly KindNode[],
  kubeconfig: string,
): Promise<ClusterAccess> => {
  const first = controlPlanes[0]?.name ?? '';
  const read = (path: string): Promise<string> => inNode(engine, first, ['cat', path]);
  const pair = async (name: string) => ({
    certificate: await read(`${pki}/${name}.crt`),
    key: await read(`${pki}/${name}.key`),
  });
  const { authority, certificate, key } = credentialsIn(kubeconfig);
  const hosts = controlPlanes.map(({ address }) => address);
  const access: ClusterAccess = {
    kubeconfig,
    api: { host: hosts[0] ?? '', port: apiPort },
    authorityCertificate: authority,
    administrator: { certificate, key },
    etcd: {
      hosts,
      authorityCertificate: await read(`${pki}/etcd/ca.crt`),
      client: await pair('apiserver-etcd-client'),
      published: await pair('etcd/healthcheck-client'),
    },
  };
  await writeFileWhole(join(dir, 'access.json'), JSON.stringify(access));
  await writeFileWhole(join(dir, 'kubeconfig'), kubeconfig);
  return access;
};
