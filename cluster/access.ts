import { join } from 'node:path';
import type { Credential } from '../common/certificates.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { type ApiClient, apiClient } from './apiClient.ts';
import { type Authorities, issueAdministrator, issueEtcdClient } from './credentials.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { apiPort, type ClusterPlan, controlPlanesOf } from './plan.ts';

/** How to reach a cluster from this machine; kept in `access.json` (0600). */
export interface ClusterAccess {
  readonly kubeconfig: string;
  readonly api: { readonly host: string; readonly port: number };
  readonly authorityCertificate: string;
  readonly administrator: Credential;
  readonly etcd: {
    readonly hosts: readonly string[];
    readonly authorityCertificate: string;
    readonly client: Credential;
    /** Of the cluster itself, to be kept in `openshift-config`, so that it can be told from what `up` asks. */
    readonly published: Credential;
  };
}

/**
 * Asks an API server of a cluster as its administrator.
 * @param host a control-plane node's address; where all clients ask, unless told
 */
export const administratorClient = (access: ClusterAccess, host: string = access.api.host): ApiClient =>
  apiClient(host, access.api.port, access.authorityCertificate, access.administrator);

const accessPath = (dir: string): string => join(dir, 'access.json');

const issuePublished = (authorities: Authorities): Promise<Credential> => issueEtcdClient(authorities, 'etcd-client');

/** Issues an administrator's credentials once, so that a kubeconfig given out stays the same; made again where the file is damaged. */
export const ensureAccess = async (plan: ClusterPlan, authorities: Authorities): Promise<ClusterAccess> => {
  const known = await readAccess(plan.dir);
  if (known !== undefined) {
    // Not in the file of a cluster that was made before there was one.
    const published: Credential | undefined = known.etcd.published;
    if (published !== undefined) return known;
    const completed = { ...known, etcd: { ...known.etcd, published: await issuePublished(authorities) } };
    await writeFileWhole(accessPath(plan.dir), JSON.stringify(completed));
    return completed;
  }
  const administrator = await issueAdministrator(authorities);
  const access: ClusterAccess = {
    kubeconfig: renderKubeconfig(
      `understudy-${plan.spec.name}`,
      `https://${plan.apiAddress}:${apiPort}`,
      authorities.kubernetes.certificate,
      administrator,
    ),
    api: { host: plan.apiAddress, port: apiPort },
    authorityCertificate: authorities.kubernetes.certificate,
    administrator,
    etcd: {
      hosts: controlPlanesOf(plan).map((node) => node.address),
      authorityCertificate: authorities.etcd.certificate,
      client: await issueEtcdClient(authorities, 'understudy'),
      published: await issuePublished(authorities),
    },
  };
  await writeFileWhole(accessPath(plan.dir), JSON.stringify(access));
  await writeFileWhole(join(plan.dir, 'kubeconfig'), access.kubeconfig);
  return access;
};

/** @returns undefined where there is no cluster, or its file is cut short */
export const readAccess = async (dir: string): Promise<ClusterAccess | undefined> => {
  const text = await readFileIfThere(accessPath(dir));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as ClusterAccess;
  } catch {
    return undefined;
  }
};
