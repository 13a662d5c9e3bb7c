export const toBase64 = (content: string | Uint8Array): string =>
  (typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)).toString('base64');

export const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** The same bytes in the one spelling that comparisons rely on. */
export const canonicalBase64 = (base64: string): string => Buffer.from(base64, 'base64').toString('base64');
