import type { DeleteCall } from '../protocol/provider.ts';
import { propagationPolicyOf, skipsAwait, timeoutMsOf } from './annotations.ts';
import { waitUntilGone } from './await/waiter.ts';
import { checkpointFrom, objectFrom } from './checkpoint.ts';
import { ApiError, isNotFound } from './client.ts';
import { mappingOf, type Operation } from './cluster.ts';
import { failureOf } from './errors.ts';
import { at, type KubeObject, namespaceOf, parseId, type TypeMeta } from './objects.ts';
import { deleteObject, findObject, type ObjectAddress } from './resource.ts';
import { relinquish } from './update.ts';

/** Kinds whose deletion the official provider does not wait for either where `skipAwait` is set. */
const skippable = ['Namespace', 'Pod', 'ReplicationController', 'DaemonSet', 'Deployment', 'StatefulSet', 'Job'];

/** The object on its way out, undefined where nothing is left of it. */
const requestDeletion = async (
  address: ObjectAddress,
  inputs: KubeObject,
  signal: AbortSignal,
): Promise<KubeObject | undefined> => {
  try {
    const answer = await deleteObject(address, propagationPolicyOf(inputs), signal);
    return at(answer, 'metadata', 'uid') === undefined ? undefined : answer;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    // A namespace that is on its way out already refuses a second request.
    if (error instanceof ApiError && error.code === 409) return findObject(address, signal);
    throw error;
  }
};

/** Deletes an object and waits until it is gone; of a *Patch resource it only gives up the fields. */
export const remove = async (
  operation: Operation,
  call: DeleteCall,
  type: TypeMeta,
  isPatch: boolean,
): Promise<void> => {
  const { namespace, name } = parseId(call.id);
  const { signal, status } = operation;
  const inputs = objectFrom(call.oldInputs);
  const checkpoint = checkpointFrom(call.oldOutputs);
  try {
    const mapping = await mappingOf(operation, type);
    if (mapping === undefined) return;
    const scope = mapping.namespaced
      ? (namespaceOf(checkpoint.live) ?? namespace ?? operation.cluster.namespace)
      : undefined;
    const address = { client: operation.cluster.client, mapping, namespace: scope, name };
    if (isPatch) {
      const live = await findObject(address, signal);
      if (live !== undefined && checkpoint.fieldManager !== undefined) {
        await relinquish(address, live, checkpoint.fieldManager, signal);
      }
      return;
    }
    const timeoutMs = timeoutMsOf(inputs, call.timeoutSeconds);
    const leaving = await requestDeletion(address, inputs, signal);
    if (leaving === undefined || (skipsAwait(inputs) && skippable.includes(type.kind))) return;
    await waitUntilGone(address, leaving, { timeoutMs, signal, onStatus: status });
  } catch (error) {
    throw failureOf('delete', { ...type, metadata: { name: call.id } }, error);
  }
};
