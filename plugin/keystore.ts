import { largestNumber, seedLength } from './derivation.ts';

/** What a keystore file holds: all that the keys of a KMS follow from. */
export interface Keystore {
  /** `seedLength` bytes. */
  readonly seed: Buffer;
  /** The highest version that has been served, by key number; 1 where absent. */
  readonly versions: ReadonlyMap<number, number>;
}

/** `{"seed":"<base64>","versions":{"<number>":<version>}}`, on one line. */
export const renderKeystore = ({ seed, versions }: Keystore): string =>
  `${JSON.stringify({ seed: seed.toString('base64'), versions: Object.fromEntries(versions) })}\n`;

/** Why a keystore's text cannot be used. */
export class KeystoreError extends Error {
  override readonly name = 'KeystoreError';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the file, and with it perhaps the seed.
    throw new KeystoreError(text.trim() === '' ? 'it is empty' : 'it is cut short or is no JSON');
  }
};

const seedOf = (value: unknown): Buffer => {
  const seed = Buffer.from(typeof value === 'string' ? value : '', 'base64');
  // Node skips what is no base64; written again, it would not be the same.
  if (seed.length !== seedLength || seed.toString('base64') !== value) {
    throw new KeystoreError(`its seed is not ${seedLength} bytes in base64`);
  }
  return seed;
};

const versionsOf = (value: unknown): ReadonlyMap<number, number> => {
  if (!isRecord(value)) throw new KeystoreError('it has no list of versions');
  return new Map(
    Object.entries(value).map(([key, version]) => {
      const number = Number(key);
      if (!/^(0|[1-9]\d*)$/.test(key) || number > largestNumber) {
        throw new KeystoreError(`it has a version of ${JSON.stringify(key)}, which is no key number`);
      }
      if (typeof version !== 'number' || !Number.isInteger(version) || version < 1 || version > largestNumber) {
        throw new KeystoreError(`the version of key ${key} is no number from 1`);
      }
      return [number, version];
    }),
  );
};

/**
 * What a keystore file's text holds.
 * @throws KeystoreError on anything but what `renderKeystore` writes: a seed that is wrong makes data unreadable.
 */
export const parseKeystore = (text: string): Keystore => {
  const file = parseJson(text);
  if (!isRecord(file)) throw new KeystoreError('it is not a keystore of this plugin');
  if ('keks' in file) throw new KeystoreError('it is of an earlier plugin, which kept a list of keys and no seed');
  const other = Object.keys(file).find((name) => name !== 'seed' && name !== 'versions');
  if (other !== undefined || !('seed' in file)) throw new KeystoreError('it is not a keystore of this plugin');
  return { seed: seedOf(file.seed), versions: versionsOf(file.versions) };
};
