import { resolve } from 'node:path';
import { Failure, messageOf } from '../../common/failure.ts';
import { ApiError, type KubeClient, kubeClient, Unreachable } from '../../providers/kubernetes/client.ts';
import { connectionFrom, loadKubeconfig } from '../../providers/kubernetes/kubeconfig.ts';
import { requireKubeconfig } from '../access.ts';
import type { Stack } from '../stack.ts';

const unauthorized = 401;

/** What keeps a cluster that is not ours from being asked. */
const refusal = (path: string, error: ApiError | Unreachable): { readonly got: string; readonly next: string } => {
  if (error instanceof Unreachable) {
    return {
      got: error.message,
      next: `check that the cluster runs, and that this machine reaches the server in ${path}`,
    };
  }
  return error.code === unauthorized
    ? {
        got: `the API server does not take the credentials in ${path}: expired, or another cluster's`,
        next: 'log in again',
      }
    : { got: error.message, next: 'use a kubeconfig of a cluster administrator' };
};

/** Asks the cluster of a stack that is not its own. @throws Failure where it does not answer, or not to this user */
export const withCloud = async <T>(
  stack: Stack,
  tried: string,
  work: (client: KubeClient, kubeconfig: string) => Promise<T>,
): Promise<T> => {
  const path = resolve(await requireKubeconfig(stack, tried));
  // What the engine runs works in other folders.
  if (stack.settings.cloud.kubeconfig === undefined) process.env.KUBECONFIG = path;
  const client = kubeClient(await connectionFrom(loadKubeconfig(path), {}));
  try {
    return await work(client, path);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Unreachable)) throw error;
    throw new Failure({ tried, ...refusal(path, error), cause: messageOf(error) });
  } finally {
    client.close();
  }
};
