import { waitFor } from '../../common/waitFor.ts';
import type { Migrator } from '../../operator/migration/index.ts';
import type { MigrationObservation } from '../../operator/observation.ts';
import type { EncryptedApiServer } from './encryptedApiServer.ts';

export const namespacePath = '/api/v1/namespaces/default';

/** Makes secrets `secret-0`, `secret-1`, … */
export const createSecrets = async ({ kube }: EncryptedApiServer, count: number): Promise<void> => {
  const names = Array.from({ length: count }, (_, i) => `secret-${i}`);
  const worker = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await kube.create(`${namespacePath}/secrets`, { metadata: { name }, stringData: { password: name } });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
};

/** Asks for the migration of the secrets again and again, as the operator does, until it has ended. */
export const ended = (migrator: Migrator, writeKey: string): Promise<MigrationObservation> =>
  waitFor(
    async () => {
      const migration = await migrator.ensure('secrets', writeKey);
      return migration.outcome === 'running' ? undefined : migration;
    },
    { what: 'the end of the migration', timeoutMs: 60_000, intervalMs: 20, next: 'see why it stands still' },
  );

export const until = (migrator: Migrator, wanted: (migration: MigrationObservation) => boolean): Promise<true> =>
  waitFor(async () => ((await migrator.observe(['secrets'])).some(wanted) ? true : undefined), {
    what: 'the migration come so far',
    timeoutMs: 30_000,
    intervalMs: 2,
    next: 'see why it stands still',
  });
