/** A value that must not be shown in plain text; kept encrypted in the engine's state. */
export class Secret {
  readonly element: PropertyValue;

  constructor(element: PropertyValue) {
    this.element = element;
  }
}

/** A value that a preview cannot know yet. */
export class Unknown {
  readonly known = false;
}

/** A file or an archive, as the engine wrote it down; handed back untouched. */
export class Asset {
  readonly encoded: PropertyMap;

  constructor(encoded: PropertyMap) {
    this.encoded = encoded;
  }
}

/** What Pulumi's properties hold: JSON with secrets, unknowns, files and archives in it. */
export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | Secret
  | Unknown
  | Asset
  | readonly PropertyValue[]
  | PropertyMap;

export interface PropertyMap {
  readonly [key: string]: PropertyValue;
}

export const unknown = new Unknown();

export const isList = (value: PropertyValue | undefined): value is readonly PropertyValue[] => Array.isArray(value);

export const isMap = (value: PropertyValue | undefined): value is PropertyMap =>
  typeof value === 'object' &&
  value !== null &&
  !isList(value) &&
  !(value instanceof Secret || value instanceof Unknown || value instanceof Asset);

export const mapValues = (
  map: PropertyMap,
  change: (value: PropertyValue, key: string) => PropertyValue,
): PropertyMap => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));

/** The map without the entries that `drop` names. */
export const without = (map: PropertyMap, ...drop: readonly string[]): PropertyMap =>
  Object.fromEntries(Object.entries(map).filter(([key]) => !drop.includes(key)));

/** Whether `wanted` holds for the value or anything inside it, secrets included. */
const some = (value: PropertyValue, wanted: (value: PropertyValue) => boolean): boolean => {
  if (wanted(value)) return true;
  if (value instanceof Secret) return some(value.element, wanted);
  if (isList(value)) return value.some((element) => some(element, wanted));
  return isMap(value) && Object.values(value).some((element) => some(element, wanted));
};

export const containsSecret = (value: PropertyValue): boolean => some(value, (part) => part instanceof Secret);
export const containsUnknown = (value: PropertyValue): boolean => some(value, (part) => part instanceof Unknown);
export const containsAsset = (value: PropertyValue): boolean => some(value, (part) => part instanceof Asset);

/** The value with every secret in it laid open. */
export const reveal = (value: PropertyValue): PropertyValue => {
  if (value instanceof Secret) return reveal(value.element);
  if (isList(value)) return value.map(reveal);
  return isMap(value) ? mapValues(value, reveal) : value;
};

export const revealMap = (map: PropertyMap): PropertyMap => mapValues(map, reveal);

/** Equal in depth; a secret equals its plain content, an unknown equals nothing. */
export const equals = (left: PropertyValue | undefined, right: PropertyValue | undefined): boolean => {
  if (left instanceof Secret) return equals(left.element, right);
  if (right instanceof Secret) return equals(left, right.element);
  if (left instanceof Unknown || right instanceof Unknown) return false;
  if (left instanceof Asset || right instanceof Asset) {
    return left instanceof Asset && right instanceof Asset && equals(left.encoded, right.encoded);
  }
  if (isList(left)) {
    return isList(right) && left.length === right.length && left.every((part, index) => equals(part, right[index]));
  }
  if (isMap(left)) {
    if (!isMap(right)) return false;
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length && keys.every((key) => key in right && equals(left[key], right[key]))
    );
  }
  return left === right;
};
