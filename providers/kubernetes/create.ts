import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../common/failure.ts';
import { type CreateCall, PartialFailure } from '../protocol/provider.ts';
import { containsUnknown, equals, type PropertyMap, without } from '../protocol/values.ts';
import { fieldManagerOf, forcesConflicts, timeoutMsOf } from './annotations.ts';
import { waitUntilGone } from './await/waiter.ts';
import { objectFrom, outputsOf } from './checkpoint.ts';
import { ApiError, isNotFound, Unreachable } from './client.ts';
import { mappingOf, type Operation } from './cluster.ts';
import { failureOf, unknownKind } from './errors.ts';
import { creationManager, isCreatedByUs } from './managedFields.ts';
import { newFieldManager } from './naming.ts';
import {
  apiVersionOf,
  at,
  describe,
  idOf,
  type KubeObject,
  kindOf,
  mapAt,
  nameOf,
  namespaceOf,
  withoutNulls,
} from './objects.ts';
import { applyObject, createObject, findObject, type ObjectAddress } from './resource.ts';
import { settle } from './settle.ts';

/** Waits between tries while a namespace or a custom resource definition is still on its way. */
const retryMs = [50, 100, 100, 200, 200, 400, 800, 1_600, 3_200, 6_400];

const addressOf = async (operation: Operation, object: KubeObject): Promise<ObjectAddress | undefined> => {
  const mapping = await mappingOf(operation, { apiVersion: apiVersionOf(object), kind: kindOf(object) });
  if (mapping === undefined) return undefined;
  const namespace = mapping.namespaced ? (namespaceOf(object) ?? operation.cluster.namespace) : undefined;
  return { client: operation.cluster.client, mapping, namespace, name: nameOf(object) };
};

const retryingWhileMissing = async <T>(
  operation: Operation,
  work: () => Promise<T | undefined>,
): Promise<T | undefined> => {
  for (const delay of retryMs) {
    try {
      const result = await work();
      if (result !== undefined) return result;
      operation.status('waiting: the API server does not know this kind yet');
    } catch (error) {
      if (!isNotFound(error)) throw error;
      operation.status(`waiting: ${error instanceof Error ? error.message : 'not found'}`);
    }
    await sleep(delay, undefined, { signal: operation.signal });
  }
  return work();
};

/** Without what changes by itself, or with a write that has no effect. */
const content = (object: KubeObject): PropertyMap => ({
  ...without(object, 'status'),
  metadata: without(mapAt(object, 'metadata'), 'managedFields', 'resourceVersion', 'generation'),
});

/** Whether applying the object would leave the live one as it is, by the server's own judgement. */
const isAsDeclared = async (
  operation: Operation,
  address: ObjectAddress,
  object: KubeObject,
  live: KubeObject,
): Promise<boolean> => {
  const options = { dryRun: true, fieldManager: creationManager, force: true };
  const { body } = await applyObject(address, object, options, operation.signal);
  return equals(content(body), content(live));
};

/**
 * What to do about an object that is there already. One that an interrupted run of ours left just as it is declared is
 * taken as created now; one on its way out is waited for.
 * @returns undefined where creating it should be tried again.
 */
const adopt = async (
  operation: Operation,
  address: ObjectAddress,
  object: KubeObject,
  timeoutMs: number,
): Promise<KubeObject | undefined> => {
  const { status, signal } = operation;
  const live = await findObject(address, signal);
  if (live === undefined) return undefined;
  if (at(live, 'metadata', 'deletionTimestamp') !== undefined) {
    const onStatus = (message: string): void => status(`waiting for its predecessor to go: ${message}`);
    await waitUntilGone(address, live, { timeoutMs, signal, onStatus });
    return undefined;
  }
  const created = isCreatedByUs(live);
  if (created && (await isAsDeclared(operation, address, object, live))) return live;
  throw new Failure({
    tried: `create ${describe(live)}`,
    got: created ? 'it exists already, from an earlier run, and differs from the program' : 'it exists already',
    next:
      `delete it (kubectl delete ${kindOf(live).toLowerCase()} ${nameOf(live)}), give the new one another name, ` +
      `or take it over with the resource option import: '${idOf(live)}'`,
  });
};

const write = async (
  operation: Operation,
  object: KubeObject,
  isPatch: boolean,
  timeoutMs: number,
  fieldManager: string,
): Promise<readonly [ObjectAddress, KubeObject] | undefined> => {
  const address = await addressOf(operation, object);
  if (address === undefined) return undefined;
  const { signal, warn } = operation;
  const post = async (): Promise<KubeObject> => {
    const { body, warnings } = isPatch
      ? await applyObject(address, object, { dryRun: false, fieldManager, force: forcesConflicts(object) }, signal)
      : await createObject(address, object, { dryRun: false, fieldManager: creationManager }, signal);
    warnings.forEach(warn);
    return body;
  };
  for (;;) {
    try {
      return [address, await post()];
    } catch (error) {
      if (isPatch || !(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      const adopted = await adopt(operation, address, object, timeoutMs);
      if (adopted !== undefined) return [address, adopted];
    }
  }
};

/**
 * What the object will be, by a dry run of the server.
 * @returns undefined where the server cannot tell yet: it is not there, or what the object needs is not.
 */
export const previewCreate = async (
  operation: Operation,
  call: CreateCall,
  isPatch: boolean,
): Promise<PropertyMap | undefined> => {
  if (isPatch || containsUnknown(call.inputs)) return undefined;
  const object = withoutNulls(objectFrom(call.inputs));
  try {
    const address = await addressOf(operation, object);
    if (address === undefined) return undefined;
    const options = { dryRun: true, fieldManager: creationManager };
    const { body } = await createObject(address, object, options, operation.signal);
    const fieldManager = fieldManagerOf(object) ?? newFieldManager();
    // The status of something that is not there would look known.
    const live = without(body, 'status');
    return outputsOf({ inputs: call.inputs, live, initialApiVersion: apiVersionOf(object), fieldManager });
  } catch (error) {
    const isOpen = error instanceof Unreachable || (error instanceof ApiError && [403, 404, 409].includes(error.code));
    if (isOpen) return undefined;
    throw failureOf('create', object, error);
  }
};

/** Creates an object and waits until it is ready. @throws PartialFailure where it exists and is not ready. */
export const create = async (
  operation: Operation,
  call: CreateCall,
  isPatch: boolean,
): Promise<{ readonly id: string; readonly outputs: PropertyMap }> => {
  const object = withoutNulls(objectFrom(call.inputs));
  const timeoutMs = timeoutMsOf(object, call.timeoutSeconds);
  const fieldManager = fieldManagerOf(object) ?? newFieldManager();
  try {
    const written = await retryingWhileMissing(operation, () =>
      write(operation, object, isPatch, timeoutMs, fieldManager),
    );
    if (written === undefined) throw unknownKind('create', object);
    const [address, live] = written;
    const outputsFor = (state: KubeObject): PropertyMap =>
      outputsOf({ inputs: call.inputs, live: state, initialApiVersion: apiVersionOf(object), fieldManager });
    const settled = await settle(operation, address, live, object, timeoutMs);
    const state = { id: idOf(live), inputs: call.inputs, outputs: outputsFor(settled.live) };
    if (settled.reasons.length > 0) throw new PartialFailure(state, settled.reasons);
    return state;
  } catch (error) {
    throw failureOf('create', object, error);
  }
};
