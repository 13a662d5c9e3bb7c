import type { ApiClient } from './apiClient.ts';
import { sendPatiently, statusMessage } from './patience.ts';

/** A kind of objects as the operator names it: `secrets`, or `<resource>.<group>` outside of the core group. */
export interface GroupResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
}

export const parseResource = (name: string): GroupResource => {
  const dot = name.indexOf('.');
  return dot < 0 ? { group: '', resource: name } : { group: name.slice(dot + 1), resource: name.slice(0, dot) };
};

/** Name of the object that a migration is kept in, as library-go's migrators name it: `encryption-migration-core-secrets`. */
export const migrationName = (name: string): string => {
  const { group, resource } = parseResource(name);
  return `encryption-migration-${group === '' ? 'core' : group}-${resource}`;
};

/** `/api/v1`, `/apis/<group>/<version>` */
export const groupVersionPath = (group: string, version: string): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

const getJson = async <T>(client: ApiClient, path: string, signal: AbortSignal): Promise<T | undefined> => {
  const answer = await sendPatiently(client, { method: 'GET', path }, signal);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(statusMessage(answer));
  return JSON.parse(answer.body) as T;
};

/** Versions that a group is served in, the preferred one first; empty where it is not served. */
export const servedVersions = async (
  client: ApiClient,
  group: string,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  if (group === '') return ['v1'];
  interface Group {
    readonly versions: readonly { readonly version: string }[];
    readonly preferredVersion: { readonly version: string };
  }
  const found = await getJson<Group>(client, `/apis/${group}`, signal);
  return found === undefined
    ? []
    : [...new Set([found.preferredVersion.version, ...found.versions.map(({ version }) => version)])];
};

/**
 * The version in which to ask for a resource: the group's preferred one where that has it.
 * @throws Error where no version has it
 */
export const versionOf = async (client: ApiClient, name: string, signal: AbortSignal): Promise<string> => {
  const { group, resource } = parseResource(name);
  interface ResourceList {
    readonly resources: readonly { readonly name: string }[];
  }
  for (const version of await servedVersions(client, group, signal)) {
    const list = await getJson<ResourceList>(client, groupVersionPath(group, version), signal);
    if (list?.resources.some((candidate) => candidate.name === resource)) return version;
  }
  throw new Error(`the API server serves no ${name}`);
};
