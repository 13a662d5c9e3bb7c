const digest = /^[0-9a-f]{64}$/i;
const line = /^([0-9a-f]{64})\s+\*?(\S.*)$/i;

/**
 * The SHA-256 of `file` in what a project publishes beside its release: `sha256sum` lines (other lines, such as those
 * of a PGP signature, are passed over), or a digest alone. Undefined where it has none.
 */
export const digestFor = (checksums: string, file: string): string | undefined => {
  for (const text of checksums.split('\n')) {
    const [, found, name] = line.exec(text.trim()) ?? [];
    if (found !== undefined && name?.split('/').at(-1) === file) return found.toLowerCase();
  }
  const alone = checksums.trim();
  return digest.test(alone) ? alone.toLowerCase() : undefined;
};
