import type { BackendFault, KmsBackendSpec } from '../kmsBackend.ts';

/** A fault that the plugin of this node is to have. */
export interface WishedFault extends Omit<BackendFault, 'node'> {
  readonly name: string;
}

/** Content of `/var/lib/kms-plugin/wish.json`. */
export interface Wish {
  readonly keys: readonly { readonly number: number; readonly version: number }[];
  readonly faults: readonly WishedFault[];
}

export const emptyWish: Wish = { keys: [], faults: [] };

const byNumber = (a: number, b: number): number => a - b;

/**
 * What the plugin of `node` is to serve.
 * @param backend undefined while it is not known: versions and faults stay as they were.
 * @param previous the last wish; a version never goes back behind it.
 */
export const makeWish = (
  node: string,
  keyNumbers: Iterable<number>,
  backend: KmsBackendSpec | undefined,
  previous: Wish,
): Wish => {
  const before = new Map(previous.keys.map(({ number, version }) => [number, version]));
  const keys = [...new Set(keyNumbers)].sort(byNumber).map((number) => ({
    number,
    version: Math.max(backend?.keyVersions?.[String(number)] ?? 1, before.get(number) ?? 1),
  }));
  if (backend === undefined) return { keys, faults: previous.faults };
  const faults = Object.entries(backend.faults ?? {})
    .filter(([, fault]) => fault.node === undefined || fault.node === node)
    .map(([name, { node: _, ...fault }]) => ({ name, ...fault }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { keys, faults };
};

/** The wish of a file's content; an empty one where it is none. */
export const parseWish = (content: string | undefined): Wish => {
  try {
    const { keys, faults } = JSON.parse(content ?? '') as Partial<Wish>;
    return Array.isArray(keys) && Array.isArray(faults) ? { keys, faults } : emptyWish;
  } catch {
    return emptyWish;
  }
};

export const renderWish = (wish: Wish): string => `${JSON.stringify(wish)}\n`;
