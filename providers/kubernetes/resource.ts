import type { PropertyMap } from '../protocol/values.ts';
import { type ApiAnswer, isNotFound, type KubeClient } from './client.ts';
import { pathOf, type ResourceMapping } from './discovery.ts';
import type { KubeObject } from './objects.ts';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
}

/** One object's address on an API server. */
export interface ObjectAddress {
  readonly client: KubeClient;
  readonly mapping: ResourceMapping;
  readonly namespace: string | undefined;
  readonly name: string;
}

const writeQuery = ({ dryRun, fieldManager }: WriteOptions): Record<string, string | undefined> => ({
  dryRun: dryRun ? 'All' : undefined,
  fieldManager,
  fieldValidation: 'Warn',
});

const objectPath = ({ mapping, namespace, name }: ObjectAddress): string => pathOf(mapping, namespace, name);

export const getObject = async (address: ObjectAddress, signal: AbortSignal): Promise<KubeObject> =>
  (await address.client.send({ method: 'GET', path: objectPath(address), signal })).body;

/** Undefined where there is none. */
export const findObject = async (address: ObjectAddress, signal: AbortSignal): Promise<KubeObject | undefined> => {
  try {
    return await getObject(address, signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

export const createObject = (
  { client, mapping, namespace }: ObjectAddress,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<ApiAnswer> =>
  client.send({ method: 'POST', path: pathOf(mapping, namespace), query: writeQuery(options), body: object, signal });

/** Server-side apply. @param force takes fields that others own, instead of a conflict. */
export const applyObject = (
  address: ObjectAddress,
  object: KubeObject,
  options: WriteOptions & { readonly force: boolean },
  signal: AbortSignal,
): Promise<ApiAnswer> =>
  address.client.send({
    method: 'PATCH',
    path: objectPath(address),
    query: { ...writeQuery(options), force: String(options.force) },
    // JSON is YAML.
    contentType: 'application/apply-patch+yaml',
    body: object,
    signal,
  });

export const replaceObject = (
  address: ObjectAddress,
  object: KubeObject,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<ApiAnswer> =>
  address.client.send({ method: 'PUT', path: objectPath(address), query: writeQuery(options), body: object, signal });

export const jsonPatchObject = async (
  address: ObjectAddress,
  patch: readonly PropertyMap[],
  signal: AbortSignal,
): Promise<KubeObject> => {
  const { body } = await address.client.send({
    method: 'PATCH',
    path: objectPath(address),
    contentType: 'application/json-patch+json',
    body: patch,
    signal,
  });
  return body;
};

export type PropagationPolicy = 'Foreground' | 'Background' | 'Orphan';

/** The object as it waits for its end, or a status where it is gone at once. */
export const deleteObject = async (
  address: ObjectAddress,
  propagationPolicy: PropagationPolicy,
  signal: AbortSignal,
): Promise<PropertyMap> => {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy };
  return (await address.client.send({ method: 'DELETE', path: objectPath(address), body, signal })).body;
};

export const listObjects = async (
  client: KubeClient,
  mapping: ResourceMapping,
  namespace: string | undefined,
  labelSelector: string,
  signal: AbortSignal,
): Promise<PropertyMap> =>
  (await client.send({ method: 'GET', path: pathOf(mapping, namespace), query: { labelSelector }, signal })).body;
