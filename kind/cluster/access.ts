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

const pkiFiles = [
  'etcd/ca.crt',
  ...['apiserver-etcd-client', 'etcd/healthcheck-client'].flatMap((name) => [`${name}.crt`, `${name}.key`]),
];

/** A file of {@link pki} by its name there. */
export type PkiFile = (name: string) => string;

/** Reads what {@link writeKindAccess} needs of the first control plane, by one command: each takes a tenth of a second. */
export const readPki = async (engine: EngineName, [node]: readonly KindNode[]): Promise<PkiFile> => {
  const script = `cd ${pki} && for file in "$@"; do cat "$file" && printf '\\0' || exit 1; done`;
  const contents = (await inNode(engine, node?.name ?? '', ['sh', '-c', script, 'sh', ...pkiFiles])).split('\0');
  const byName = new Map(pkiFiles.map((name, i) => [name, contents[i] ?? '']));
  return (name) => byName.get(name) ?? '';
};

/**
 * How to reach a kind cluster, in the files that all of the command line reads. The kubeconfig names a port of this
 * machine; `verify` and the like ask the nodes at their own addresses.
 */
export const writeKindAccess = async (
  dir: string,
  controlPlanes: readonly KindNode[],
  kubeconfig: string,
  read: PkiFile,
): Promise<ClusterAccess> => {
  const { authority, certificate, key } = credentialsIn(kubeconfig);
  const pair = (name: string) => ({ certificate: read(`${name}.crt`), key: read(`${name}.key`) });
  const hosts = controlPlanes.map(({ address }) => address);
  const access: ClusterAccess = {
    kubeconfig,
    api: { host: hosts[0] ?? '', port: apiPort },
    authorityCertificate: authority,
    administrator: { certificate, key },
    etcd: {
      hosts,
      authorityCertificate: read('etcd/ca.crt'),
      client: pair('apiserver-etcd-client'),
      published: pair('etcd/healthcheck-client'),
    },
  };
  await writeFileWhole(join(dir, 'access.json'), JSON.stringify(access));
  await writeFileWhole(join(dir, 'kubeconfig'), kubeconfig);
  return access;
};
