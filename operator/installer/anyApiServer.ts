import { ApiError, type KubeClient } from '../../common/kubeClient.ts';

/** Does something with the first API server that takes part. @throws what the last of them said */
export const withAny = async <T>(
  clients: readonly KubeClient[],
  work: (client: KubeClient) => Promise<T>,
): Promise<T> => {
  let failure: unknown = new Error('there is no API server');
  for (const client of clients) {
    try {
      return await work(client);
    } catch (error) {
      // It was understood and refused: others would do the same.
      if (error instanceof ApiError && error.code < 500) throw error;
      failure = error;
    }
  }
  throw failure;
};
