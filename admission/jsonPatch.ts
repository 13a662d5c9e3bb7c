/** One step of a JSON Patch (RFC 6902), the kinds that admission needs. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** A JSON Pointer (RFC 6901) to what these keys lead to, one after the other. */
export const jsonPointer = (...keys: readonly (string | number)[]): string =>
  keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const keysOf = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** An object as the API server has it after this patch; the parent of each path must be there. */
export const applyJsonPatch = <T extends object>(object: T, operations: readonly JsonPatchOperation[]): T => {
  const patched = structuredClone(object);
  for (const operation of operations) {
    const keys = keysOf(operation.path);
    const last = keys.at(-1) ?? '';
    const parent = keys.slice(0, -1).reduce<object>((at, key) => Reflect.get(at, key), patched);
    if (operation.op === 'remove') Reflect.deleteProperty(parent, last);
    else if (Array.isArray(parent) && last === '-') parent.push(operation.value);
    else Reflect.set(parent, last, operation.value);
  }
  return patched;
};
