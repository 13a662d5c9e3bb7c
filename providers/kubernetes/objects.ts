import { isList, isMap, mapValues, type PropertyMap, type PropertyValue, Secret, without } from '../protocol/values.ts';

/** An object of the Kubernetes API, or the part of one that a program declares. */
export type KubeObject = PropertyMap;

const open = (value: PropertyValue | undefined): PropertyValue | undefined =>
  value instanceof Secret ? open(value.element) : value;

/** What is at a place, seen through secrets. */
export const at = (value: PropertyValue | undefined, ...path: readonly string[]): PropertyValue | undefined =>
  path.reduce<PropertyValue | undefined>((part, key) => (isMap(part) ? open(part[key]) : undefined), open(value));

export const stringAt = (value: PropertyValue | undefined, ...path: readonly string[]): string | undefined => {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
};

export const numberAt = (value: PropertyValue | undefined, ...path: readonly string[]): number | undefined => {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
};

/** Empty where there is no map at that place. */
export const mapAt = (value: PropertyValue | undefined, ...path: readonly string[]): PropertyMap => {
  const found = at(value, ...path);
  return isMap(found) ? found : {};
};

/** Empty where there is no list at that place. */
export const listAt = (value: PropertyValue | undefined, ...path: readonly string[]): readonly PropertyValue[] => {
  const found = at(value, ...path);
  return isList(found) ? found : [];
};

const setIn = (
  value: PropertyValue | undefined,
  [key, ...rest]: readonly string[],
  leaf: PropertyValue,
): PropertyValue => {
  if (key === undefined) return leaf;
  if (value instanceof Secret) return new Secret(setIn(value.element, [key, ...rest], leaf));
  if (value === undefined || value === null) return { [key]: setIn(undefined, rest, leaf) };
  return isMap(value) ? { ...value, [key]: setIn(value[key], rest, leaf) } : value;
};

/** The map with another value at a place, maps on the way made where they are missing. Not where the way is unknown yet. */
export const withAt = (map: PropertyMap, path: readonly string[], value: PropertyValue): PropertyMap => {
  const changed = setIn(map, path, value);
  return isMap(changed) ? changed : map;
};

export const withoutAt = (map: PropertyMap, [key, ...rest]: readonly string[]): PropertyMap => {
  if (key === undefined || !(key in map)) return map;
  if (rest.length === 0) return without(map, key);
  const inner = map[key];
  return isMap(inner) ? { ...map, [key]: withoutAt(inner, rest) } : map;
};

/** Kubernetes takes a null for 'not set'. */
export const withoutNulls = (map: PropertyMap): PropertyMap => {
  const clean = (value: PropertyValue): PropertyValue => {
    if (isList(value)) return value.map(clean);
    return isMap(value) ? withoutNulls(value) : value;
  };
  return mapValues(Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null)), clean);
};

export const apiVersionOf = (object: KubeObject): string => stringAt(object, 'apiVersion') ?? '';
export const kindOf = (object: KubeObject): string => stringAt(object, 'kind') ?? '';
export const nameOf = (object: KubeObject): string => stringAt(object, 'metadata', 'name') ?? '';
export const namespaceOf = (object: KubeObject): string | undefined =>
  stringAt(object, 'metadata', 'namespace') || undefined;
export const annotationOf = (object: KubeObject, name: string): string | undefined =>
  stringAt(object, 'metadata', 'annotations', name);

/** `Deployment default/web`, for messages. */
export const describe = (object: KubeObject): string => `${kindOf(object)} ${idOf(object)}`;

/** Pulumi's ID of an object: `<namespace>/<name>`, or `<name>` of one that has no namespace. */
export const idOf = (object: KubeObject): string => {
  const namespace = namespaceOf(object);
  return namespace === undefined ? nameOf(object) : `${namespace}/${nameOf(object)}`;
};

export const parseId = (id: string): { readonly namespace: string | undefined; readonly name: string } => {
  const slash = id.indexOf('/');
  return slash === -1
    ? { namespace: undefined, name: id }
    : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
};

export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** `kubernetes:core/v1:Secret` is `v1` `Secret`, `kubernetes:apps/v1:DaemonSet` is `apps/v1` `DaemonSet`. */
export const typeMetaOf = (token: string): TypeMeta => {
  const [, module = '', kind = ''] = token.split(':');
  return { apiVersion: module.startsWith('core/') ? module.slice('core/'.length) : module, kind };
};
