import { isNotFound, type KubeClient } from './client.ts';
import { at, listAt, stringAt, type TypeMeta } from './objects.ts';

/** Where the objects of a kind are found. */
export interface ResourceMapping extends TypeMeta {
  /** `daemonsets` */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** What the API server serves, asked once for each API version. */
export interface Discovery {
  /** Undefined where the server does not know the kind (yet). @throws Unreachable */
  find(type: TypeMeta, signal: AbortSignal): Promise<ResourceMapping | undefined>;
}

const groupPath = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

export const createDiscovery = (client: KubeClient): Discovery => {
  const known = new Map<string, Promise<readonly ResourceMapping[]>>();

  const ask = async (apiVersion: string, signal: AbortSignal): Promise<readonly ResourceMapping[]> => {
    try {
      const { body } = await client.send({ method: 'GET', path: groupPath(apiVersion), signal });
      return listAt(body, 'resources').flatMap((resource) => {
        const plural = stringAt(resource, 'name') ?? '';
        // Subresources are listed too: `pods/log`.
        if (plural.includes('/')) return [];
        const namespaced = at(resource, 'namespaced') === true;
        return [{ apiVersion, kind: stringAt(resource, 'kind') ?? '', plural, namespaced }];
      });
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };

  const list = (apiVersion: string, signal: AbortSignal): Promise<readonly ResourceMapping[]> => {
    const answer = ask(apiVersion, signal);
    known.set(apiVersion, answer);
    answer.catch(() => known.delete(apiVersion));
    return answer;
  };

  return {
    find: async ({ apiVersion, kind }, signal) => {
      const matches = (mapping: ResourceMapping): boolean => mapping.kind === kind;
      const cached = (await known.get(apiVersion))?.find(matches);
      // A kind that was missing may have come with a custom resource definition since.
      return cached ?? (await list(apiVersion, signal)).find(matches);
    },
  };
};

/** Path of one object, or of all of a kind (in a namespace, or everywhere). */
export const pathOf = (mapping: ResourceMapping, namespace: string | undefined, name?: string): string => {
  const scope = mapping.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${groupPath(mapping.apiVersion)}${scope}/${mapping.plural}${object}`;
};
