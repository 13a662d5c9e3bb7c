/**
 * The CEL expression of a value of JSON. Lists and maps of CEL have members of one type, so those of maps are `dyn`.
 * JSON's strings are CEL's.
 */
export const celOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(celOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: dyn(${celOf(member)})`);
  return `{${members.join(', ')}}`;
};

/** The CEL expression of an optional annotation: `''` where the object has none of that name. */
export const celAnnotation = (object: string, annotation: string): string =>
  `${object}.?metadata.?annotations[?${celOf(annotation)}].orValue('')`;

export interface CelPatch {
  readonly op: 'add' | 'replace' | 'remove';
  /** A CEL expression of a string. */
  readonly path: string;
  /** A CEL expression of any type. */
  readonly value?: string;
}

/** The CEL expression of one step of a JSON Patch, as a map: variables of a policy cannot be of the type `JSONPatch`. */
export const celPatch = ({ op, path, value = 'null' }: CelPatch): string =>
  `{"op": dyn(${celOf(op)}), "path": dyn(${path}), "value": dyn(${value})}`;

/** The mutation of a list of such steps. A failure's message quotes it, so it is short. @param patches CEL expression */
export const celMutation = (patches: string) => ({
  patchType: 'JSONPatch',
  jsonPatch: { expression: `(${patches}).map(p, JSONPatch{op: p.op, path: p.path, value: p.value})` },
});
