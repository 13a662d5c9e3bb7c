import type { KubeConfig } from '@kubernetes/client-node';
import type { MigrationObservation } from '../observation.ts';
import { apiClient } from './apiClient.ts';
import { credentialsOf } from './credentials.ts';
import { inProcessMigrator } from './inProcess.ts';
import type { Migrator } from './migrator.ts';
import { discoverMigrationApi, storageVersionMigrator } from './storageVersionMigration.ts';

export type { Migrator } from './migrator.ts';

type ClusterMigrator = Omit<Migrator, 'close'>;

/** An API that comes or goes is seen that late. */
const discoverEveryMs = 10_000;

/**
 * Migrates by StorageVersionMigration where the cluster serves that, else in this process. What one of them has begun it
 * ends, also where that API comes or goes meanwhile.
 * @param changed called when a migration of this process has ended; those of the cluster have to be looked at
 */
export const openMigrator = (config: KubeConfig, changed: () => void): Migrator => {
  const credentials = credentialsOf(config);
  const client = apiClient(credentials, 1);
  const closing = new AbortController();
  const inProcess = inProcessMigrator(client, credentials, changed);

  const discover = async (): Promise<ClusterMigrator | undefined> => {
    const api = await discoverMigrationApi(client, closing.signal);
    return api === undefined ? undefined : storageVersionMigrator(client, api, closing.signal);
  };
  let found: Promise<ClusterMigrator | undefined> | undefined;
  let foundAt = 0;
  const ofCluster = (): Promise<ClusterMigrator | undefined> => {
    if (found === undefined || performance.now() - foundAt > discoverEveryMs) {
      foundAt = performance.now();
      found = discover();
      found.catch(() => {
        found = undefined;
      });
    }
    return found;
  };

  const observeBoth = async (resources: readonly string[]): Promise<readonly MigrationObservation[]> => {
    const own = await inProcess.observe(resources);
    const others = resources.filter((name) => own.every(({ resource }) => resource !== name));
    return [...own, ...((await (await ofCluster())?.observe(others)) ?? [])];
  };

  return {
    observe: observeBoth,
    ensure: async (resource, writeKey) => {
      const [own] = await inProcess.observe([resource]);
      if (own?.writeKey === writeKey) return own;
      const cluster = await ofCluster();
      if (cluster === undefined) return inProcess.ensure(resource, writeKey);
      if (own !== undefined) await inProcess.prune(resource);
      return cluster.ensure(resource, writeKey);
    },
    prune: async (resource) => {
      await inProcess.prune(resource);
      await (await ofCluster())?.prune(resource);
    },
    close: async () => {
      closing.abort();
      await inProcess.close();
      client.close();
    },
  };
};
