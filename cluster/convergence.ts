import { createHash } from 'node:crypto';
import { waitFor } from '../common/waitFor.ts';
import { administratorClient, type ClusterAccess } from './access.ts';
import { type ApiClient, expectOk } from './apiClient.ts';

const configSecret = '/api/v1/namespaces/openshift-config-managed/secrets/encryption-config-openshift-kube-apiserver';
const notFound = 404;

const loadedHash =
  /^apiserver_encryption_config_controller_last_config_info\{[^}]*\bhash="sha256:([0-9a-f]+)"[^}]*\} 1$/m;

const withClient = async <T>(access: ClusterAccess, host: string, work: (api: ApiClient) => Promise<T>): Promise<T> => {
  const api = administratorClient(access, host);
  try {
    return await work(api);
  } finally {
    api.close();
  }
};

/** Hex sha256 of the newest encryption configuration; undefined before the first. */
const wantedHash = async (api: ApiClient): Promise<string | undefined> => {
  const answer = expectOk(await api.ask('GET', configSecret), 'read the encryption configuration', [notFound]);
  if (answer.status === notFound) return undefined;
  const { data } = JSON.parse(answer.body) as { readonly data: { readonly 'encryption-config': string } };
  return createHash('sha256').update(Buffer.from(data['encryption-config'], 'base64')).digest('hex');
};

/**
 * Waits until the API server of every control-plane node is ready and has loaded the newest encryption configuration: one whose
 * box has just started begins without its plugin, and is then handed over to one that has it.
 */
export const waitForConvergence = (access: ClusterAccess): Promise<unknown> =>
  waitFor(
    () =>
      Promise.all(
        access.etcd.hosts.map((host) =>
          withClient(access, host, async (api) => {
            expectOk(await api.ask('GET', '/readyz'), `find the API server at ${host} ready`);
            const wanted = await wantedHash(api);
            const { body } = await api.ask('GET', '/metrics');
            if (wanted !== undefined && loadedHash.exec(body)?.[1] !== wanted) {
              throw new Error(`the API server at ${host} has not loaded the newest encryption configuration`);
            }
          }),
        ),
      ),
    {
      what: 'all API servers with the newest encryption configuration',
      timeoutMs: 120_000,
      intervalMs: 100,
      next: "see 'understudy logs installer' and 'understudy logs kube-apiserver'",
    },
  );
