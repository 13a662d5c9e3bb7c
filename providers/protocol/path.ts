/** Keys and list indices from the top of a property map down to one property. */
export type PropertyPath = readonly (string | number)[];

/** The engine's notation: `spec.ports[0].name`, `metadata.annotations["a.b/c"]`. */
export const formatPath = (path: PropertyPath): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (/[."[\]]/.test(part)) return `${text}["${part.replaceAll('"', '\\"')}"]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');

/** Reads what `formatPath` writes; `[*]` reads as the key `*`. */
export const parsePath = (text: string): PropertyPath =>
  [...text.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[(\*)\]|([^.[\]]+)/g)].map(([, quoted, index, star, key]) => {
    if (quoted !== undefined) return quoted.replaceAll('\\"', '"');
    return index === undefined ? (star ?? key ?? '') : Number(index);
  });
