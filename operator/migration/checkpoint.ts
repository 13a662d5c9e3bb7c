import { z } from 'zod';
import type { MigrationObservation } from '../observation.ts';
import type { ApiAnswer, ApiClient, ApiRequest } from './apiClient.ts';
import { sendPatiently, statusMessage } from './patience.ts';
import { migrationName } from './resource.ts';

/** What is left of a migration when its process ends. */
export interface Checkpoint {
  readonly migration: MigrationObservation;
  /** Everything up to this `<namespace>/<name>` is written. */
  readonly last: string;
}

/** Of library-go's migrations. */
export const writeKeyAnnotation = 'encryption.apiserver.operator.openshift.io/write-key';
/** JSON of {@link stored}. */
const progressAnnotation = 'understudy.dev/migration';

/** Leases are never encrypted, so that they can be read whatever becomes of the keys; this one is held by nobody. */
const namespace = 'openshift-kube-apiserver-operator';
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

const stored = z.object({
  outcome: z.enum(['running', 'succeeded', 'failed']),
  last: z.string(),
  done: z.int().nonnegative(),
  total: z.int().nonnegative(),
  finishedAt: z.iso.datetime().optional(),
  message: z.string().optional(),
});

export const renderCheckpoint = ({ migration, last }: Checkpoint): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: migrationName(migration.resource),
    annotations: {
      [writeKeyAnnotation]: migration.writeKey,
      [progressAnnotation]: JSON.stringify({
        outcome: migration.outcome,
        last,
        done: migration.done ?? 0,
        total: migration.total ?? 0,
        finishedAt: migration.finishedAt,
        message: migration.message,
      }),
    },
  },
});

/** @returns undefined for a lease that does not say it, so that the migration begins at its beginning */
export const parseCheckpoint = (resource: string, lease: string): Checkpoint | undefined => {
  try {
    const { metadata }: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } } =
      JSON.parse(lease);
    const writeKey = metadata.annotations[writeKeyAnnotation];
    const { last, ...progress } = stored.parse(JSON.parse(metadata.annotations[progressAnnotation] ?? ''));
    return writeKey === undefined ? undefined : { migration: { resource, writeKey, ...progress }, last };
  } catch {
    return undefined;
  }
};

/** Where checkpoints are kept. All throw Errors where the API server refuses. */
export interface CheckpointStore {
  read(resource: string, signal: AbortSignal): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint, signal: AbortSignal): Promise<void>;
  remove(resource: string, signal: AbortSignal): Promise<void>;
}

export const checkpointStore = (client: ApiClient): CheckpointStore => {
  const ask = async (request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer | undefined> => {
    const answer = await sendPatiently(client, request, signal);
    if (answer.status === 404 && request.method !== 'PATCH') return undefined;
    if (answer.status >= 200 && answer.status <= 299) return answer;
    throw new Error(`could not keep how far the migration is: ${statusMessage(answer)}`);
  };
  return {
    read: async (resource, signal) => {
      const lease = await ask({ method: 'GET', path: `${leases}/${migrationName(resource)}` }, signal);
      return lease === undefined ? undefined : parseCheckpoint(resource, lease.body);
    },
    write: async (checkpoint, signal) => {
      await ask(
        {
          method: 'PATCH',
          path: `${leases}/${migrationName(checkpoint.migration.resource)}?fieldManager=encryption-migration&force=true`,
          contentType: 'application/apply-patch+yaml',
          body: JSON.stringify(renderCheckpoint(checkpoint)),
        },
        signal,
      );
    },
    remove: async (resource, signal) => {
      await ask({ method: 'DELETE', path: `${leases}/${migrationName(resource)}` }, signal);
    },
  };
};
