import type { ApiClient } from './apiClient.ts';
import { sendPatiently, statusMessage } from './patience.ts';

/** One object of a resource. */
export interface ObjectName {
  /** Undefined for cluster-scoped objects. */
  readonly namespace?: string;
  readonly name: string;
}

/** `<namespace>/<name>`: what the API server sorts a list by. */
export const positionOf = ({ namespace, name }: ObjectName): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

export interface Page {
  readonly names: readonly ObjectName[];
  /** How many come after this page. */
  readonly remaining: number;
}

interface MetadataList {
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number };
  /** Go's empty list is null. */
  readonly items: readonly { readonly metadata: ObjectName }[] | null;
}

/** About 250 KB of JSON: small in memory, and read ahead in less time than the page before takes to be written. */
const pageSize = 500;
const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * A token that is older than etcd's history is answered with another one, that goes on from the same object in a newer
 * state; what is missed so was written meanwhile.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
const renewedToken = (body: string): string => {
  const { metadata }: { readonly metadata?: { readonly continue?: string } } = JSON.parse(body);
  return metadata?.continue ?? '';
};

/**
 * Names of all objects of a resource in the order of {@link positionOf}, a page ahead of who reads them. An object that
 * comes or goes meanwhile may be there or not.
 * @param path of the list: `/api/v1/secrets`
 */
export async function* listPages(client: ApiClient, path: string, signal: AbortSignal): AsyncGenerator<Page, void> {
  const fetchPage = (token: string) => {
    const query = `limit=${pageSize}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
    const answer = sendPatiently(client, { method: 'GET', path: `${path}?${query}`, accept }, signal);
    // It is fetched ahead: nobody may be waiting yet when it fails.
    answer.catch(() => {});
    return answer;
  };
  let next = fetchPage('');
  for (;;) {
    const answer = await next;
    const renewed = answer.status === 410 ? renewedToken(answer.body) : '';
    if (renewed !== '') {
      next = fetchPage(renewed);
      continue;
    }
    if (answer.status !== 200) throw new Error(`could not list ${path}: ${statusMessage(answer)}`);
    const { metadata, items }: MetadataList = JSON.parse(answer.body);
    const token = metadata.continue ?? '';
    if (token !== '') next = fetchPage(token);
    yield {
      names: (items ?? []).map((item) => ({ namespace: item.metadata.namespace, name: item.metadata.name })),
      remaining: metadata.remainingItemCount ?? 0,
    };
    if (token === '') return;
  }
}
