import { isDeepStrictEqual } from 'node:util';
import { ApiError, Unreachable } from '../providers/kubernetes/client.ts';
import { requireOwnCluster } from './cloud/ownCluster.ts';
import { type ClusterObjects, patiently, withClusterObjects } from './clusterObjects.ts';
import {
  checkTargets,
  clearing,
  clearingPatch,
  type FaultOptions,
  faultFrom,
  faultName,
  faultTargets,
  faultText,
  listFaults,
  nodesBehind,
  settingPatch,
} from './encryption/faults.ts';
import { type BackendObject, backendObject, listOf, nodeObject, paths } from './encryption/objects.ts';
import { readEncryption, requireBackend } from './encryption/read.ts';
import { waitUntil } from './encryption/wait.ts';
import { interruptibly } from './interruption.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import type { Stack } from './stack.ts';

/** A node that has just started takes it over once its installer runs. */
const inForceWithinMs = 30_000;
/** It is a matter of a second: who waits longer is told for what. */
const quietMs = 5_000;
const conflict = 409;

const controlPlaneNodes = async (objects: ClusterObjects): Promise<readonly string[]> => {
  const nodes = await patiently(() => objects.read(paths.controlPlaneNodes, listOf(nodeObject)));
  return nodes?.items.map(({ metadata }) => metadata.name) ?? [];
};

type Faults = BackendObject['spec']['faults'];

/**
 * Changes `spec.faults` as it is at that moment, whoever else changes it too.
 * @param change its merge patch; asked again where somebody else was faster, or the answer was lost
 * @returns the generation from which on the change is there
 */
const changeFaults = async (
  objects: ClusterObjects,
  tried: string,
  change: (faults: Faults) => object,
): Promise<number> => {
  for (;;) {
    const { metadata, spec } = await requireBackend(objects, tried);
    const { resourceVersion } = metadata;
    try {
      await objects.patch(paths.backend, { metadata: { resourceVersion }, spec: { faults: change(spec.faults) } });
      return (await requireBackend(objects, tried)).metadata.generation;
    } catch (error) {
      if (!(error instanceof Unreachable || (error instanceof ApiError && error.code === conflict))) throw error;
    }
  }
};

interface Settling {
  readonly tried: string;
  readonly nodes: readonly string[];
  readonly generation: number;
}

/** Waits until the installers of the nodes have told their plugins. */
const waitForNodes = (
  objects: ClusterObjects,
  stack: Stack,
  options: OutputOptions,
  { tried, nodes, generation }: Settling,
): Promise<void> =>
  interruptibly((signal) =>
    waitUntil(
      async () => {
        const behind = nodesBehind(await objects.read(paths.backend, backendObject), nodes, generation);
        const obstacle = `it is asked for, but not yet in force on ${behind.join(', ')}`;
        return { done: behind.length === 0, told: [], obstacle };
      },
      {
        tried: `${tried} within ${inForceWithinMs / 1000} s`,
        timeoutMs: inForceWithinMs,
        quietMs,
        intervalMs: 50,
        next: `see 'understudy logs installer ${stack.name}'; the nodes take it over as soon as they can`,
        goesOn: 'the nodes take it over without this command',
        progress: progressFor(options),
        signal,
      },
    ),
  );

/** Makes the KMS behind the plugins fail in some way, and waits until it does. */
export const faultSet = async (stack: Stack, kind: string, options: FaultOptions & OutputOptions): Promise<void> => {
  // What is wrong in itself is told before any cluster is asked.
  const typed = faultFrom(kind, options, Date.now());
  if (options.name !== undefined) faultName(typed.kind, options.name, {}, Date.now());
  const tried = `set fault ${kind} on stack ${stack.name}`;
  requireOwnCluster(stack, tried);
  await withClusterObjects(stack, tried, async (objects) => {
    const [encryption, known] = await Promise.all([
      patiently(() => readEncryption(objects)),
      controlPlaneNodes(objects),
      requireBackend(objects, tried),
    ]);
    const fault = faultFrom(kind, options, Date.now());
    checkTargets(fault, faultTargets(encryption, known));
    let name = '';
    const generation = await changeFaults(objects, tried, (faults) => {
      const now = Date.now();
      // Its own from a turn whose answer was lost.
      if (!isDeepStrictEqual(faults[name], fault)) name = faultName(fault.kind, options.name, faults, now);
      return settingPatch(faults, name, fault, now);
    });
    const nodes = fault.node === undefined ? known : [fault.node];
    await waitForNodes(objects, stack, options, { tried, nodes, generation });
    const text = `In force on ${nodes.join(', ')}: ${faultText({ ...fault, name, state: 'active' }, Date.now())}`;
    printResult(options, { stack: stack.name, fault: { name, state: 'active', ...fault }, nodes }, text);
  });
};

/** Prints the faults that are set. */
export const faultList = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const tried = `list the faults of stack ${stack.name}`;
  requireOwnCluster(stack, tried);
  await withClusterObjects(stack, tried, async (objects) => {
    const now = Date.now();
    const faults = listFaults(await requireBackend(objects, tried), now);
    const text = faults.map((fault) => faultText(fault, now)).join('\n') || 'There is no fault.';
    printResult(options, { stack: stack.name, faults }, text);
  });
};

/** Ends a fault, or all, and waits until the plugins are well again. */
export const faultClear = async (stack: Stack, name: string | undefined, options: OutputOptions): Promise<void> => {
  const tried = `clear ${name === undefined ? 'the faults' : `fault ${name}`} of stack ${stack.name}`;
  requireOwnCluster(stack, tried);
  await withClusterObjects(stack, tried, async (objects) => {
    const nodes = await controlPlaneNodes(objects);
    let cleared: readonly string[] = [];
    const generation = await changeFaults(objects, tried, (faults) => {
      cleared = clearing(faults, name);
      return clearingPatch(faults, cleared, Date.now());
    });
    if (cleared.length > 0) await waitForNodes(objects, stack, options, { tried, nodes, generation });
    const text = cleared.length === 0 ? 'There is no fault.' : `Cleared: ${cleared.join(', ')}`;
    printResult(options, { stack: stack.name, cleared }, text);
  });
};
