import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, kubeClient } from '../../providers/kubernetes/client.ts';
import { connectionFrom, loadKubeconfig } from '../../providers/kubernetes/kubeconfig.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';

/** What a person with kubectl, or a controller, does to a test's API server. */
export interface KubeApi {
  get(path: string): Promise<PropertyMap | undefined>;
  /** Resolves as soon as the object is there and `wanted` holds. */
  see(path: string, wanted?: (object: PropertyMap) => boolean): Promise<PropertyMap>;
  create(path: string, object: PropertyMap, fieldManager?: string): Promise<PropertyMap>;
  /** JSON merge patch. */
  patch(path: string, change: PropertyMap, fieldManager?: string): Promise<PropertyMap>;
  delete(path: string): Promise<void>;
  close(): void;
}

export const connectKubeApi = async (kubeconfig: string): Promise<KubeApi> => {
  const client = kubeClient(await connectionFrom(loadKubeconfig(kubeconfig), {}));
  const { signal } = new AbortController();
  const get = async (path: string): Promise<PropertyMap | undefined> => {
    try {
      return (await client.send({ method: 'GET', path, signal })).body;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  };
  return {
    get,
    see: async (path, wanted = () => true) => {
      for (;;) {
        const object = await get(path);
        if (object !== undefined && wanted(object)) return object;
        await sleep(30);
      }
    },
    create: async (path, body, fieldManager = 'test') =>
      (await client.send({ method: 'POST', path, query: { fieldManager }, body, signal })).body,
    patch: async (path, body, fieldManager = 'kubectl-patch') => {
      const contentType = 'application/merge-patch+json';
      return (await client.send({ method: 'PATCH', path, query: { fieldManager }, contentType, body, signal })).body;
    },
    delete: async (path) => {
      await client.send({ method: 'DELETE', path, signal });
    },
    close: client.close,
  };
};
