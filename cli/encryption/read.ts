import { z } from 'zod';
import { Failure } from '../../common/failure.ts';
import { parseCheckpoint } from '../../operator/migration/checkpoint.ts';
import { encryptedResources } from '../../operator/names.ts';
import type { MigrationObservation } from '../../operator/observation.ts';
import { type ClusterObjects, patiently } from '../clusterObjects.ts';
import {
  apiServerObject,
  type BackendObject,
  backendObject,
  type EncryptionObjects,
  listOf,
  operatorObject,
  paths,
  secretObject,
} from './objects.ts';

const readMigration = async (objects: ClusterObjects, resource: string): Promise<MigrationObservation | undefined> => {
  const lease = await objects.read(paths.migration(resource), z.unknown());
  return lease === undefined ? undefined : parseCheckpoint(resource, JSON.stringify(lease))?.migration;
};

/** Reads all that tells how a cluster is encrypted. */
export const readEncryption = async (objects: ClusterObjects): Promise<EncryptionObjects> => {
  const [apiServer, operator, keySecrets, configSecret, backend, migrations] = await Promise.all([
    objects.read(paths.apiServer, apiServerObject),
    objects.read(paths.operator, operatorObject),
    objects.read(paths.keySecrets, listOf(secretObject)),
    objects.read(paths.configSecret, secretObject),
    objects.read(paths.backend, backendObject),
    Promise.all(encryptedResources.map((resource) => readMigration(objects, resource))),
  ]);
  return {
    apiServer,
    operator,
    keySecrets: keySecrets?.items ?? [],
    configSecret,
    backend,
    migrations: migrations.filter((migration) => migration !== undefined),
  };
};

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
