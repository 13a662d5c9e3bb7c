import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { ClusterAccess } from '../../cluster/access.ts';
import { apiPort } from '../../cluster/plan.ts';
import { writeFileWhole } from '../../common/files.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

const kubeconfigSchema = z.looseObject({
  clusters: z.tuple([z.looseObject({ cluster: z.looseObject({ 'certificate-authority-data': z.string() }) })]),
  users: z.tuple([
    z.object({
      name: z.string(),
      user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }),
    }),
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

/**
 * The kubeconfig that kind gives, with the user of kubeadm's `super-admin.conf` instead of the one of `admin.conf`: an API server
 * that has just begun has not read yet which roles the latter has, and answers it with 403; the former needs none.
 * Upstream: kubeadm's `cmd/kubeadm/app/phases/kubeconfig`, groups `system:masters` and `kubeadm:cluster-admins`.
 */
export const asSuperAdmin = (kubeconfig: string, superAdminConf: string): string => {
  const ofKind = kubeconfigSchema.parse(parse(kubeconfig));
  const [{ user }] = kubeconfigSchema.parse(parse(superAdminConf)).users;
  const [{ name }] = ofKind.users;
  return stringify({ ...ofKind, users: [{ name, user }] });
};

const kubernetesFolder = '/etc/kubernetes';

const superAdminFile = 'super-admin.conf';

const files = [
  superAdminFile,
  'pki/etcd/ca.crt',
  ...['apiserver-etcd-client', 'etcd/healthcheck-client'].flatMap((name) => [`pki/${name}.crt`, `pki/${name}.key`]),
];

/** A file of {@link kubernetesFolder} by its path there. */
export type NodeFile = (path: string) => string;

/** Reads what {@link writeKindAccess} needs of the first control plane, by one command: each takes a tenth of a second. */
export const readNodeFiles = async (engine: EngineName, [node]: readonly KindNode[]): Promise<NodeFile> => {
  const script = `cd ${kubernetesFolder} && for file in "$@"; do cat "$file" && printf '\\0' || exit 1; done`;
  const contents = (await inNode(engine, node?.name ?? '', ['sh', '-c', script, 'sh', ...files])).split('\0');
  const byPath = new Map(files.map((path, i) => [path, contents[i] ?? '']));
  return (path) => byPath.get(path) ?? '';
};

/**
 * How to reach a kind cluster, in the files that all of the command line reads. The kubeconfig names a port of this
 * machine; `verify` and the like ask the nodes at their own addresses.
 * @param kindKubeconfig what kind gives
 */
export const writeKindAccess = async (
  dir: string,
  controlPlanes: readonly KindNode[],
  kindKubeconfig: string,
  read: NodeFile,
): Promise<ClusterAccess> => {
  const kubeconfig = asSuperAdmin(kindKubeconfig, read(superAdminFile));
  const { authority, certificate, key } = credentialsIn(kubeconfig);
  const pair = (name: string) => ({ certificate: read(`pki/${name}.crt`), key: read(`pki/${name}.key`) });
  const hosts = controlPlanes.map(({ address }) => address);
  const access: ClusterAccess = {
    kubeconfig,
    api: { host: hosts[0] ?? '', port: apiPort },
    authorityCertificate: authority,
    administrator: { certificate, key },
    etcd: {
      hosts,
      authorityCertificate: read('pki/etcd/ca.crt'),
      client: pair('apiserver-etcd-client'),
      published: pair('etcd/healthcheck-client'),
    },
  };
  await writeFileWhole(join(dir, 'access.json'), JSON.stringify(access));
  await writeFileWhole(join(dir, 'kubeconfig'), kubeconfig);
  return access;
};
