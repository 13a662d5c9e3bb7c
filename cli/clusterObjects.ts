import type { z } from 'zod';
import { Failure } from '../common/failure.ts';
import { waitFor } from '../common/waitFor.ts';
import { ApiError, type ApiRequest, isNotFound, kubeClient, Unreachable } from '../providers/kubernetes/client.ts';
import { connectionFrom, loadKubeconfig } from '../providers/kubernetes/kubeconfig.ts';
import { requireKubeconfig } from './access.ts';
import type { Stack } from './stack.ts';

/** Objects in a cluster's API server, by their paths. */
export interface ClusterObjects {
  /**
   * An object, or undefined where it or its kind is not there.
   * @throws ApiError; Unreachable where no API server answers in time
   */
  read<T extends z.ZodType>(path: string, shape: T, withinMs?: number): Promise<z.infer<T> | undefined>;
  /**
   * Changes an object by a JSON merge patch. With `metadata.resourceVersion` in it, only if nobody else has since.
   * @throws ApiError
   */
  patch(path: string, change: object): Promise<void>;
  close(): void;
}

const answerWithinMs = 10_000;

/** @param kubeconfig its content, or its path */
export const connectClusterObjects = async (kubeconfig: string): Promise<ClusterObjects> => {
  const client = kubeClient(await connectionFrom(loadKubeconfig(kubeconfig), {}));
  const send = async (request: Omit<ApiRequest, 'signal'>, withinMs = answerWithinMs): Promise<unknown> => {
    const signal = AbortSignal.timeout(withinMs);
    const ask = async (): Promise<unknown> => (await client.send({ ...request, signal })).body;
    try {
      // Connections break when an API server hands over to the next, which takes new ones already.
      return await ask().catch((error: unknown) => {
        if (error instanceof Unreachable && request.method === 'GET') return ask();
        throw error;
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Unreachable(`the API server does not answer within ${withinMs / 1000} s`, { cause: error });
    }
  };
  return {
    read: async (path, shape, withinMs) => {
      try {
        return shape.parse(await send({ method: 'GET', path }, withinMs));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    patch: async (path, body) => {
      const contentType = 'application/merge-patch+json';
      const query = { fieldManager: 'understudy' };
      await send({ method: 'PATCH', path, query, contentType, body });
    },
    close: client.close,
  };
};

/** Works on the objects of a stack's cluster, as its administrator. @throws Failure where there is none */
export const withClusterObjects = async <T>(
  stack: Stack,
  tried: string,
  work: (objects: ClusterObjects) => Promise<T>,
): Promise<T> => {
  const objects = await connectClusterObjects(await requireKubeconfig(stack, tried));
  try {
    return await work(objects);
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof ApiError)) throw error;
    throw new Failure({
      tried,
      got: error.message,
      next: `'understudy status ${stack.name}' tells whether the cluster is well`,
      cause: error,
    });
  } finally {
    objects.close();
  }
};

/**
 * How long an API server may take to come back: connections break while it takes over a new configuration. Several answers
 * long, since one of three API servers may hang, and the load balancer does not know.
 */
const awayMs = 3 * answerWithinMs;

const serviceUnavailable = 503;

/** Nobody answered, or one that is not ready: a policy about a new kind is refused so for a second. */
const isAway = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof ApiError && error.code === serviceUnavailable);

/** Asks again while no API server answers. */
export const patiently = <T>(ask: () => Promise<T>): Promise<T> =>
  waitFor(
    async () => {
      try {
        return { answer: await ask() };
      } catch (error) {
        if (isAway(error)) throw error;
        return { error };
      }
    },
    { what: 'an answer of the API server', timeoutMs: awayMs, intervalMs: 250, next: "see 'understudy status'" },
  ).then((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.answer;
  });
