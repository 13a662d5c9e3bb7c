import { createHash } from 'node:crypto';
import { kekLength, keyIdOf } from './kek.ts';

/** One key-encryption key as the keystore file has it. */
export interface StoredKek {
  /** `kekLength` bytes. */
  readonly key: Buffer;
  /** When it was made, ISO 8601. */
  readonly createdAt: string;
}

/** Oldest first: the last one writes, all of them read. Never empty. */
export type StoredKeks = readonly [StoredKek, ...StoredKek[]];

const kind = 'understudy-kms-keystore';
const version = 1;

/** As in the file; `keyId` follows from `key` and is there for people. */
interface Entry {
  readonly keyId: string;
  readonly createdAt: string;
  readonly key: string;
}

const checksumOf = (keks: readonly Entry[]): string =>
  createHash('sha256')
    .update(JSON.stringify(keks.map(({ keyId, createdAt, key }) => [keyId, createdAt, key])))
    .digest('hex');

export const renderKeystore = (stored: StoredKeks): string => {
  const keks = stored.map(
    ({ key, createdAt }): Entry => ({ keyId: keyIdOf(key), createdAt, key: key.toString('base64') }),
  );
  return `${JSON.stringify({ kind, version, keks, sha256: checksumOf(keks) }, undefined, 2)}\n`;
};

/** Why a keystore's text cannot be used. */
export class KeystoreError extends Error {
  override readonly name = 'KeystoreError';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const entryOf = (value: unknown): Entry => {
  if (isRecord(value)) {
    const { keyId, createdAt, key } = value;
    if (typeof keyId === 'string' && typeof createdAt === 'string' && typeof key === 'string') {
      return { keyId, createdAt, key };
    }
  }
  throw new KeystoreError('one of its keys is not written as a key');
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the file, and with it perhaps a key.
    throw new KeystoreError(text.trim() === '' ? 'it is empty' : 'it is cut short or is no JSON');
  }
};

/**
 * The keys in a keystore file's text.
 * @throws KeystoreError on anything but what `renderKeystore` wrote: a key that is wrong or gone makes data unreadable.
 */
export const parseKeystore = (text: string): StoredKeks => {
  const file = parseJson(text);
  if (!isRecord(file) || file.kind !== kind) throw new KeystoreError('it is not a keystore of this plugin');
  if (file.version !== version) throw new KeystoreError(`it has version ${file.version}, this plugin reads ${version}`);
  if (!Array.isArray(file.keks)) throw new KeystoreError('it has no list of keys');
  const entries = file.keks.map(entryOf);
  if (file.sha256 !== checksumOf(entries)) throw new KeystoreError('its checksum does not match: it was edited');
  const [first, ...others] = entries.map(({ keyId, createdAt, key: encoded }): StoredKek => {
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== kekLength || keyIdOf(key) !== keyId) throw new KeystoreError(`key ${keyId} is not what it says`);
    return { key, createdAt };
  });
  if (first === undefined) throw new KeystoreError('it has no key');
  return [first, ...others];
};
