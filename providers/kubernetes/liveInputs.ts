import { equals, isList, isMap, type PropertyMap, type PropertyValue, Secret, without } from '../protocol/values.ts';
import { apiVersionOf, type KubeObject, kindOf, mapAt, stringAt, withoutAt } from './objects.ts';

const follow = (
  input: PropertyValue | undefined,
  before: PropertyValue | undefined,
  now: PropertyValue | undefined,
): PropertyValue | undefined => {
  if (input instanceof Secret) {
    const followed = follow(input.element, before, now);
    return followed === undefined ? undefined : new Secret(followed);
  }
  // Unchanged on the server: the input stands, even where the server writes it another way ('1000m' as '1') or keeps it for itself.
  if (input === undefined || equals(before ?? null, now ?? null)) return input;
  if (isMap(input) && isMap(now)) return followMap(input, isMap(before) ? before : {}, now);
  if (isList(input) && isList(now) && input.length === now.length) {
    const old = isList(before) ? before : [];
    return input.map((element, index) => follow(element, old[index], now[index]) ?? null);
  }
  return now;
};

const followMap = (inputs: PropertyMap, before: PropertyMap, now: PropertyMap): PropertyMap =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([key, input]) => {
      const followed = follow(input, before[key], now[key]);
      return followed === undefined ? [] : [[key, followed]];
    }),
  );

const decode = (data: PropertyValue | undefined): string =>
  Buffer.from(typeof data === 'string' ? data : '', 'base64').toString();

/** The API server never shows `stringData`: what it made of it is in `data`. */
const withStringData = (object: KubeObject, inputs: PropertyMap): KubeObject => {
  const data = mapAt(object, 'data');
  const names = Object.keys(mapAt(inputs, 'stringData')).filter((name) => name in data);
  return { ...object, stringData: Object.fromEntries(names.map((name) => [name, decode(data[name])])) };
};

const isSecret = (object: KubeObject): boolean => kindOf(object) === 'Secret' && apiVersionOf(object) === 'v1';

/**
 * Inputs that would make the object what it is now: the old ones, with what has changed on the server since.
 * @param before the object as the last operation left it.
 */
export const refreshedInputs = (inputs: PropertyMap, before: KubeObject, now: KubeObject): PropertyMap =>
  isSecret(now) && 'stringData' in inputs
    ? followMap(inputs, withStringData(before, inputs), withStringData(now, inputs))
    : followMap(inputs, before, now);

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the API server, and not a person, writes into every object. */
const serverFields: readonly (readonly string[])[] = [
  ...['creationTimestamp', 'deletionGracePeriodSeconds', 'deletionTimestamp', 'generation', 'managedFields'],
  ...['ownerReferences', 'resourceVersion', 'selfLink', 'uid'],
].map((field) => ['metadata', field]);

const serverAnnotations = [
  lastApplied,
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
];

/** The parts of `value` at the places that `shape` has; lists as they are. */
const pruned = (value: PropertyMap, shape: PropertyMap): PropertyMap =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const wanted = shape[key];
      if (wanted === undefined) return [];
      return [[key, isMap(inner) && isMap(wanted) ? pruned(inner, wanted) : inner]];
    }),
  );

const parseApplied = (object: KubeObject): PropertyMap | undefined => {
  const text = stringAt(object, 'metadata', 'annotations', lastApplied);
  if (text === undefined) return undefined;
  try {
    const applied: unknown = JSON.parse(text);
    return typeof applied === 'object' && applied !== null ? (applied as PropertyMap) : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Inputs for an object that is imported: where it was applied by kubectl, what was applied; else all of it but its status and
 * what the server adds to every object.
 */
export const importedInputs = (live: KubeObject): PropertyMap => {
  const applied = parseApplied(live);
  const declared = applied === undefined ? without(live, 'status') : pruned(live, applied);
  const cleaned = [...serverFields, ...serverAnnotations.map((name) => ['metadata', 'annotations', name])].reduce(
    (inputs, path) => withoutAt(inputs, path),
    declared,
  );
  const annotations = mapAt(cleaned, 'metadata', 'annotations');
  return Object.keys(annotations).length === 0 ? withoutAt(cleaned, ['metadata', 'annotations']) : cleaned;
};
