import { z } from 'zod';
import { Failure } from '../../common/failure.ts';
import { waitFor } from '../../common/waitFor.ts';
import { parseCheckpoint } from '../../operator/migration/checkpoint.ts';
import { encryptedResources } from '../../operator/names.ts';
import type { MigrationObservation } from '../../operator/observation.ts';
import { ApiError, Unreachable } from '../../providers/kubernetes/client.ts';
import { type ClusterObjects, patiently } from '../clusterObjects.ts';
import {
  apiServerObject,
  type BackendObject,
  backendObject,
  type EncryptionObjects,
  listOf,
  operatorObject,
  paths,
  type SecretObject,
  secretObject,
} from './objects.ts';

const readMigration = async (objects: ClusterObjects, resource: string): Promise<MigrationObservation | undefined> => {
  const lease = await objects.read(paths.migration(resource), z.unknown());
  return lease === undefined ? undefined : parseCheckpoint(resource, JSON.stringify(lease))?.migration;
};

/** Shorter than other answers: they may be put off for as long as the KMS fails. */
const secretsWithinMs = 3_000;

interface Secrets {
  readonly keySecrets: readonly SecretObject[];
  readonly configSecret: SecretObject | undefined;
  readonly unreadable?: string;
}

/** Secrets are encrypted themselves: while the KMS fails, an API server may not be able to read them. */
const readSecrets = async (objects: ClusterObjects): Promise<Secrets> => {
  try {
    const [keySecrets, configSecret] = await Promise.all([
      objects.read(paths.keySecrets, listOf(secretObject), secretsWithinMs),
      objects.read(paths.configSecret, secretObject, secretsWithinMs),
    ]);
    return { keySecrets: keySecrets?.items ?? [], configSecret };
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
    return { keySecrets: [], configSecret: undefined, unreadable: error.message };
  }
};

/** Reads all that tells how a cluster is encrypted, as far as it can be read. */
export const readEncryption = async (objects: ClusterObjects): Promise<EncryptionObjects> => {
  const [apiServer, operator, secrets, backend, migrations] = await Promise.all([
    objects.read(paths.apiServer, apiServerObject),
    objects.read(paths.operator, operatorObject),
    readSecrets(objects),
    objects.read(paths.backend, backendObject),
    Promise.all(encryptedResources.map((resource) => readMigration(objects, resource))),
  ]);
  return { apiServer, operator, ...secrets, backend, migrations: migrations.filter((found) => found !== undefined) };
};

const readableWithinMs = 10_000;

/** The same, but all of it. @throws Failure where the API server does not come to read its secrets */
export const readAllEncryption = (objects: ClusterObjects, stack: string): Promise<EncryptionObjects> =>
  waitFor(
    async () => {
      const found = await readEncryption(objects);
      if (found.unreadable !== undefined) throw new Error(found.unreadable);
      return found;
    },
    {
      what: `how stack ${stack} is encrypted`,
      timeoutMs: readableWithinMs,
      intervalMs: 250,
      next: `'understudy status ${stack}' tells whether the cluster is well, 'understudy fault list --stack ${stack}' whether its KMS is meant to fail`,
    },
  );

/** @throws Failure where the cluster's KMS is no stand-in of ours */
export const requireBackend = async (objects: ClusterObjects, tried: string): Promise<BackendObject> => {
  const backend = await patiently(() => objects.read(paths.backend, backendObject));
  if (backend !== undefined) return backend;
  throw new Failure({
    tried,
    got: 'the cluster has no kmsbackends.understudy.dev/cluster',
    next: "run 'understudy up', which installs it with the plugin",
  });
};
