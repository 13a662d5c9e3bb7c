import { Failure } from '../../common/failure.ts';
import { parsePath } from '../protocol/path.ts';
import { PartialFailure, type UpdateCall } from '../protocol/provider.ts';
import { containsUnknown, type PropertyMap, without } from '../protocol/values.ts';
import { fieldManagerOf, forcesConflicts, timeoutMsOf } from './annotations.ts';
import { checkpointFrom, objectFrom, outputsOf } from './checkpoint.ts';
import { ApiError, Unreachable } from './client.ts';
import { mappingOf, type Operation } from './cluster.ts';
import { failureOf, unknownKind } from './errors.ts';
import { belongsToOthers, creationManager, takeOver } from './managedFields.ts';
import { newFieldManager } from './naming.ts';
import {
  apiVersionOf,
  at,
  idOf,
  type KubeObject,
  kindOf,
  listAt,
  nameOf,
  namespaceOf,
  parseId,
  stringAt,
  withAt,
  withoutAt,
  withoutNulls,
} from './objects.ts';
import { applyObject, findObject, getObject, jsonPatchObject, type ObjectAddress, replaceObject } from './resource.ts';
import { settle } from './settle.ts';

/** Properties that the program leaves alone: as they are where nobody else has set them, else not ours to send. */
const withIgnored = (
  object: KubeObject,
  live: KubeObject,
  ignoreChanges: readonly string[],
  fieldManager: string,
): KubeObject =>
  ignoreChanges.reduce((result, text) => {
    const path = parsePath(text).map(String);
    if (belongsToOthers(live, path, fieldManager)) return withoutAt(result, path);
    const value = at(live, ...path);
    return value === undefined ? result : withAt(result, path, value);
  }, object);

const resourceVersionOf = (object: KubeObject): string => stringAt(object, 'metadata', 'resourceVersion') ?? '';

const conflictRetries = 5;

/** Runs a write that fails where the object has changed since it was read, on the object as it is by then. */
const onFreshObject = async <T>(
  address: ObjectAddress,
  live: KubeObject,
  signal: AbortSignal,
  work: (live: KubeObject) => Promise<T>,
): Promise<T> => {
  let current = live;
  for (let retries = 0; ; retries += 1) {
    try {
      return await work(current);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 409) || retries === conflictRetries) throw error;
      current = await getObject(address, signal);
    }
  }
};

const takeOwnership = (
  address: ObjectAddress,
  live: KubeObject,
  fieldManager: string,
  signal: AbortSignal,
): Promise<unknown> =>
  onFreshObject(address, live, signal, async (current) => {
    const managedFields = takeOver(current, fieldManager);
    if (managedFields === undefined) return;
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersionOf(current) },
    ];
    await jsonPatchObject(address, patch, signal);
  });

/** Gives up all fields of a manager; those that nobody else has set go away with that. */
export const relinquish = async (
  address: ObjectAddress,
  live: KubeObject,
  fieldManager: string,
  signal: AbortSignal,
): Promise<void> => {
  // With its UID, the apply cannot create an object that has gone in the meantime.
  const identity = {
    apiVersion: apiVersionOf(live),
    kind: kindOf(live),
    metadata: { name: nameOf(live), uid: stringAt(live, 'metadata', 'uid') ?? '' },
  };
  await applyObject(address, identity, { dryRun: false, fieldManager, force: false }, signal);
};

const isDefinition = (object: KubeObject): boolean => kindOf(object) === 'CustomResourceDefinition';

interface Plan {
  readonly address: ObjectAddress;
  readonly object: KubeObject;
  readonly live: KubeObject;
  readonly fieldManager: string;
  readonly isPatch: boolean;
  readonly dryRun: boolean;
}

/**
 * Whether to take fields from their managers. Beside the program's wish, where ours is not written down: an object from
 * before there were managed fields, and a dry run, which cannot take over what the creation set.
 */
const mustForce = ({ object, live, fieldManager, isPatch, dryRun }: Plan): boolean =>
  forcesConflicts(object) ||
  (!isPatch && listAt(live, 'metadata', 'managedFields').length === 0) ||
  (!isPatch && dryRun && takeOver(live, fieldManager) !== undefined);

const write = async (operation: Operation, plan: Plan): Promise<KubeObject> => {
  const { address, object, live, fieldManager, isPatch, dryRun } = plan;
  const { signal, warn } = operation;
  if (isDefinition(object) && !isPatch) {
    // A definition is replaced as a whole: what its schema leaves out must go.
    return onFreshObject(address, live, signal, async (current) => {
      const whole = withAt(object, ['metadata', 'resourceVersion'], resourceVersionOf(current));
      return (await replaceObject(address, whole, { dryRun, fieldManager }, signal)).body;
    });
  }
  if (!isPatch && !dryRun) await takeOwnership(address, live, fieldManager, signal);
  const force = mustForce(plan);
  const { body, warnings } = await applyObject(address, object, { dryRun, fieldManager, force }, signal);
  warnings.forEach(warn);
  return body;
};

const planFor = async (operation: Operation, call: UpdateCall, isPatch: boolean): Promise<Plan> => {
  const object = withoutNulls(objectFrom(call.inputs));
  const mapping = await mappingOf(operation, { apiVersion: apiVersionOf(object), kind: kindOf(object) });
  if (mapping === undefined) throw unknownKind('update', object);
  const checkpoint = checkpointFrom(call.oldOutputs);
  const { name } = parseId(call.id);
  const namespace = mapping.namespaced ? (namespaceOf(checkpoint.live) ?? operation.cluster.namespace) : undefined;
  const address = { client: operation.cluster.client, mapping, namespace, name };
  const live = await findObject(address, operation.signal);
  if (live === undefined) {
    throw new Failure({
      tried: `update ${kindOf(object)} ${call.id}`,
      got: 'it is not there any more',
      next: 'refresh the stack: then it is created anew',
    });
  }
  const fieldManager = fieldManagerOf(object) ?? checkpoint.fieldManager ?? newFieldManager();
  const named = withAt(object, ['metadata', 'name'], name);
  return {
    address,
    object: withIgnored(named, live, call.ignoreChanges, fieldManager),
    live,
    fieldManager,
    isPatch,
    dryRun: call.preview,
  };
};

const outputsFor = (call: UpdateCall, live: KubeObject, fieldManager: string): PropertyMap => {
  const { initialApiVersion } = checkpointFrom(call.oldOutputs);
  return outputsOf({ inputs: call.inputs, live, initialApiVersion, fieldManager });
};

/** What the object will be, by a dry run. @returns undefined where the server cannot tell. */
export const previewUpdate = async (
  operation: Operation,
  call: UpdateCall,
  isPatch: boolean,
): Promise<PropertyMap | undefined> => {
  if (containsUnknown(call.inputs)) return undefined;
  try {
    const plan = await planFor(operation, call, isPatch);
    return outputsFor(call, without(await write(operation, plan), 'status'), plan.fieldManager);
  } catch (error) {
    const isOpen =
      error instanceof Failure || error instanceof Unreachable || (error instanceof ApiError && error.code === 403);
    if (isOpen) return undefined;
    throw failureOf('update', objectFrom(call.inputs), error);
  }
};

/** Applies new inputs and waits until the object is ready. @throws PartialFailure where it is written and not ready. */
export const update = async (operation: Operation, call: UpdateCall, isPatch: boolean): Promise<PropertyMap> => {
  const object = objectFrom(call.inputs);
  const timeoutMs = timeoutMsOf(object, call.timeoutSeconds);
  try {
    const plan = await planFor(operation, call, isPatch);
    const written = await write(operation, plan);
    const { fieldManager: oldManager } = checkpointFrom(call.oldOutputs);
    if (oldManager !== undefined && oldManager !== plan.fieldManager && oldManager !== creationManager) {
      await relinquish(plan.address, written, oldManager, operation.signal);
    }
    const settled = await settle(operation, plan.address, written, object, timeoutMs);
    const outputs = outputsFor(call, settled.live, plan.fieldManager);
    if (settled.reasons.length === 0) return outputs;
    throw new PartialFailure({ id: idOf(settled.live), inputs: call.inputs, outputs }, settled.reasons);
  } catch (error) {
    throw failureOf('update', object, error);
  }
};
