const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON as Go's encoder writes it: with these characters escaped and a newline at the end. Hashes are taken over it, and OpenShift's
 * own tools compare it. Order of fields is that of `value`.
 * @see https://pkg.go.dev/encoding/json#Marshal
 */
export const goJson = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character)}\n`;
