import { administratorClient, type ClusterAccess } from './access.ts';
import { type ApiClient, expectOk } from './apiClient.ts';
import { parseStoredValue } from './encryptedObject.ts';
import { encryptedResources, providerName } from './encryptionConfiguration.ts';
import { readEtcd } from './etcd.ts';
import { type ClusterSpec, etcdPrefixOf } from './plan.ts';

const conflict = 409;
const gone = 404;

/** Writes an object as it is. A conflict means that somebody else just wrote it, which serves as well. */
const rewrite = async (api: ApiClient, path: string): Promise<void> => {
  const read = expectOk(await api.ask('GET', path), `read ${path}`, [gone]);
  if (read.status === gone) return;
  expectOk(await api.ask('PUT', path, JSON.parse(read.body)), `write ${path}`, [conflict, gone]);
};

/** Writes every secret and config map again that etcd does not have under the current key. */
export const rewriteUnencrypted = async (access: ClusterAccess, spec: ClusterSpec): Promise<void> => {
  const api = administratorClient(access);
  try {
    for (const resource of encryptedResources) {
      for await (const { key, value } of readEtcd(access, `${etcdPrefixOf(spec)}/${resource}/`)) {
        const stored = parseStoredValue(value);
        if (stored.encrypted && stored.key === providerName(resource)) continue;
        const [namespace, name] = key.split('/').slice(3);
        await rewrite(api, `/api/v1/namespaces/${namespace}/${resource}/${name}`);
      }
    }
  } finally {
    api.close();
  }
};
