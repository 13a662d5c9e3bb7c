import type { PropertyPath } from './path.ts';
import type { PropertyDiff } from './provider.ts';
import { equals, isList, isMap, type PropertyMap, type PropertyValue, Secret, Unknown } from './values.ts';

export interface Change {
  readonly path: PropertyPath;
  readonly kind: PropertyDiff['kind'];
  /** The new value; of a deletion, the old one. */
  readonly value: PropertyValue;
}

const open = (value: PropertyValue | undefined): PropertyValue | undefined =>
  value instanceof Secret ? open(value.element) : (value ?? undefined);

const diffValues = (
  path: PropertyPath,
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
): Change[] => {
  const [old, now] = [open(before), open(after)];
  if (old === undefined && now === undefined) return [];
  if (now === undefined) return old === undefined ? [] : [{ path, kind: 'delete', value: old }];
  if (old === undefined) return [{ path, kind: 'add', value: now }];
  if (now instanceof Unknown) return [{ path, kind: 'update', value: now }];
  if (isMap(old) && isMap(now)) return diffMaps(old, now, path);
  if (isList(old) && isList(now)) {
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) =>
      diffValues([...path, index], old[index], now[index]),
    ).flat();
  }
  return equals(old, now) ? [] : [{ path, kind: 'update', value: now }];
};

/** The properties that differ, each at the deepest path that says it all. Null counts as absent, a secret as its content. */
export const diffMaps = (before: PropertyMap, after: PropertyMap, path: PropertyPath = []): Change[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    diffValues([...path, key], before[key], after[key]),
  );
