import type { MigrationObservation } from '../observation.ts';
import type { ApiAnswer, ApiClient } from './apiClient.ts';
import { writeKeyAnnotation } from './checkpoint.ts';
import type { Migrator } from './migrator.ts';
import { sendPatiently, statusMessage } from './patience.ts';
import { migrationName, parseResource, servedVersions, versionOf } from './resource.ts';
import { serialized } from './serialized.ts';

/** An API by which a cluster migrates by itself. */
export interface MigrationApi {
  /** `migration.k8s.io` on OpenShift, `storagemigration.k8s.io` on Kubernetes. */
  readonly group: string;
  readonly version: string;
}

const groups = ['migration.k8s.io', 'storagemigration.k8s.io'] as const;

/** @returns undefined where the cluster serves none */
export const discoverMigrationApi = async (
  client: ApiClient,
  signal: AbortSignal,
): Promise<MigrationApi | undefined> => {
  for (const group of groups) {
    const [version] = await servedVersions(client, group, signal);
    if (version !== undefined) return { group, version };
  }
  return undefined;
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  /** Where the API is Kubernetes' later one. */
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
}

/** A StorageVersionMigration of either API. */
export interface StorageVersionMigration {
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Kubernetes' own looks the version of the resource up by itself since v1beta1. */
const asksVersion = ({ group, version }: MigrationApi): boolean =>
  group === 'migration.k8s.io' || version === 'v1alpha1';

export const renderMigration = (api: MigrationApi, name: string, version: string, writeKey: string): object => {
  const { group, resource } = parseResource(name);
  return {
    apiVersion: `${api.group}/${api.version}`,
    kind: 'StorageVersionMigration',
    metadata: { name: migrationName(name), annotations: { [writeKeyAnnotation]: writeKey } },
    spec: { resource: asksVersion(api) ? { group, version, resource } : { group, resource } },
  };
};

export const observationOf = (
  resource: string,
  { metadata, status }: StorageVersionMigration,
): MigrationObservation => {
  const common = { resource, writeKey: metadata.annotations?.[writeKeyAnnotation] ?? '' };
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type && each.status === 'True');
  const [succeeded, failed] = [condition('Succeeded'), condition('Failed')];
  const finishedAt = (ended: Condition) => ended.lastUpdateTime ?? ended.lastTransitionTime;
  if (succeeded !== undefined) return { ...common, outcome: 'succeeded', finishedAt: finishedAt(succeeded) };
  if (failed !== undefined) {
    return { ...common, outcome: 'failed', finishedAt: finishedAt(failed), message: failed.message };
  }
  return { ...common, outcome: 'running' };
};

/** Lets the cluster migrate, by StorageVersionMigration objects. */
export const storageVersionMigrator = (
  client: ApiClient,
  api: MigrationApi,
  signal: AbortSignal,
): Omit<Migrator, 'close'> => {
  const oneByOne = serialized();
  const path = `/apis/${api.group}/${api.version}/storageversionmigrations`;

  const expect = (answer: ApiAnswer, tried: string, ...allowed: readonly number[]): ApiAnswer => {
    if ((answer.status >= 200 && answer.status <= 299) || allowed.includes(answer.status)) return answer;
    throw new Error(`could not ${tried}: ${statusMessage(answer)}`);
  };

  const find = async (resource: string): Promise<StorageVersionMigration | undefined> => {
    const name = migrationName(resource);
    const answer = await sendPatiently(client, { method: 'GET', path: `${path}/${name}` }, signal);
    if (expect(answer, `read StorageVersionMigration ${name}`, 404).status === 404) return undefined;
    return JSON.parse(answer.body);
  };

  const remove = async (resource: string, preconditions?: object): Promise<void> => {
    const name = migrationName(resource);
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions });
    const answer = await sendPatiently(client, { method: 'DELETE', path: `${path}/${name}`, body }, signal);
    // Another one by now: it is judged the next time.
    expect(answer, `delete StorageVersionMigration ${name}`, 404, 409);
  };

  const create = async (resource: string, writeKey: string): Promise<void> => {
    const version = await versionOf(client, resource, signal);
    const body = JSON.stringify(renderMigration(api, resource, version, writeKey));
    const answer = await sendPatiently(client, { method: 'POST', path, body }, signal);
    // Already there: somebody was faster, or a request was answered twice. It is judged the next time.
    expect(answer, `create StorageVersionMigration ${migrationName(resource)}`, 409);
  };

  return {
    observe: async (resources) => {
      const found = await Promise.all(
        resources.map(async (resource) => {
          const migration = await find(resource);
          return migration === undefined ? undefined : observationOf(resource, migration);
        }),
      );
      return found.filter((observation) => observation !== undefined);
    },
    ensure: (resource, writeKey) =>
      oneByOne(resource, async () => {
        const existing = await find(resource);
        if (existing !== undefined) {
          const observation = observationOf(resource, existing);
          if (observation.writeKey === writeKey) return observation;
          await remove(resource, { resourceVersion: existing.metadata.resourceVersion });
        }
        await create(resource, writeKey);
        return { resource, writeKey, outcome: 'running' };
      }),
    prune: (resource) => oneByOne(resource, () => remove(resource)),
  };
};
