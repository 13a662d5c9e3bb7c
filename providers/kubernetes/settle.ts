import { skipsAwait } from './annotations.ts';
import { NotReady, waitUntilReady } from './await/waiter.ts';
import type { Operation } from './cluster.ts';
import type { KubeObject } from './objects.ts';
import type { ObjectAddress } from './resource.ts';

/** How an object ended up after it was written. */
export interface Settled {
  readonly live: KubeObject;
  /** Why it is not ready; empty where it is. */
  readonly reasons: readonly string[];
}

/** Waits for a written object, unless its inputs say not to. What does not get ready is a result here, not an error. */
export const settle = async (
  { cluster, signal, status }: Operation,
  address: ObjectAddress,
  written: KubeObject,
  inputs: KubeObject,
  timeoutMs: number,
): Promise<Settled> => {
  if (skipsAwait(inputs)) return { live: written, reasons: [] };
  try {
    return {
      live: await waitUntilReady(cluster, address, written, { timeoutMs, signal, onStatus: status }),
      reasons: [],
    };
  } catch (error) {
    if (error instanceof NotReady) return error;
    throw error;
  }
};
