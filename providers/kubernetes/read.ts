import { PartialFailure, type ReadCall, type ResourceState } from '../protocol/provider.ts';
import { skipsAwait } from './annotations.ts';
import { whyNotReady } from './await/waiter.ts';
import { checkpointFrom, markSecrets, objectFrom, outputsOf, propertiesFrom } from './checkpoint.ts';
import { mappingOf, type Operation } from './cluster.ts';
import { failureOf } from './errors.ts';
import { importedInputs, refreshedInputs } from './liveInputs.ts';
import { newFieldManager } from './naming.ts';
import { apiVersionOf, kindOf, parseId, type TypeMeta } from './objects.ts';
import { findObject } from './resource.ts';

/**
 * The object as it is, and inputs that would make it so.
 * @param type of the object; the type token's, where the state says nothing.
 * @returns undefined where there is no such object, or no such kind any more.
 * @throws PartialFailure where the object is there and not ready.
 */
export const read = async (
  operation: Operation,
  call: ReadCall,
  type: TypeMeta,
): Promise<ResourceState | undefined> => {
  const { namespace, name } = parseId(call.id);
  const isImport = Object.keys(call.oldInputs).length === 0;
  try {
    const mapping = await mappingOf(operation, type);
    if (mapping === undefined) return undefined;
    const scope = mapping.namespaced ? (namespace ?? operation.cluster.namespace) : undefined;
    const address = { client: operation.cluster.client, mapping, namespace: scope, name };
    const live = await findObject(address, operation.signal);
    if (live === undefined) return undefined;

    const checkpoint = checkpointFrom(call.oldOutputs);
    const inputs = isImport
      ? markSecrets(propertiesFrom(importedInputs(live)), {})
      : markSecrets(
          refreshedInputs(call.oldInputs, propertiesFrom(checkpoint.live), propertiesFrom(live)),
          call.oldInputs,
        );
    const outputs = outputsOf({
      inputs,
      live,
      initialApiVersion: checkpoint.initialApiVersion || apiVersionOf(live),
      fieldManager: checkpoint.fieldManager ?? newFieldManager(),
    });
    const state = { id: call.id, inputs, outputs };
    if (isImport || skipsAwait(objectFrom(call.oldInputs))) return state;
    const reasons = await whyNotReady(operation.cluster, live, operation.signal);
    if (reasons === undefined) return state;
    throw new PartialFailure(state, reasons);
  } catch (error) {
    throw failureOf('read', { ...type, kind: type.kind || kindOf(call.oldInputs), metadata: { name: call.id } }, error);
  }
};
