import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Secrets of a stack file as Pulumi's passphrase provider writes them (`pkg/secrets/passphrase/manager.go`, and `crypt.go` in
 * `sdk/go/common/resource/config`): AES-256-GCM under a key that PBKDF2 derives from passphrase and salt. The engine itself
 * encrypts only for a stack that is in its backend already, and `up` has to read a secret before it starts the engine.
 */
export interface PulumiSecrets {
  /** `encryptionsalt` of the stack file: the salt, and a known text to tell a wrong passphrase by. */
  readonly salt: string;
  /** The value of `secure:`. */
  encrypt(plain: string): string;
  /** @returns undefined for what was not encrypted with this passphrase and salt */
  decrypt(secure: string): string | undefined;
}

const version = 'v1';
const knownText = 'pulumi';
const iterations = 1_000_000;
const keyBytes = 32;
const saltBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;

const encryptWith = (key: Buffer, plain: string): string => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [version, nonce.toString('base64'), sealed.toString('base64')].join(':');
};

const decryptWith = (key: Buffer, secure: string): string | undefined => {
  const [itsVersion, nonce = '', text = '', ...rest] = secure.split(':');
  if (itsVersion !== version || rest.length > 0) return undefined;
  const sealed = Buffer.from(text, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'), { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return decipher.update(sealed.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
};

const deriveKey = (passphrase: string, salt: Buffer): Promise<Buffer> =>
  promisify(pbkdf2)(passphrase, salt, iterations, keyBytes, 'sha256');

const secretsOf = (key: Buffer, salt: string): PulumiSecrets => ({
  salt,
  encrypt: (plain) => encryptWith(key, plain),
  decrypt: (secure) => decryptWith(key, secure),
});

export const newSecrets = async (passphrase: string): Promise<PulumiSecrets> => {
  const salt = randomBytes(saltBytes);
  const key = await deriveKey(passphrase, salt);
  return secretsOf(key, `${version}:${salt.toString('base64')}:${encryptWith(key, knownText)}`);
};

/** @returns undefined where the passphrase is not the one that the salt was made with */
export const openSecrets = async (passphrase: string, encryptionSalt: string): Promise<PulumiSecrets | undefined> => {
  const [itsVersion, salt = '', ...known] = encryptionSalt.split(':');
  if (itsVersion !== version) return undefined;
  const key = await deriveKey(passphrase, Buffer.from(salt, 'base64'));
  return decryptWith(key, known.join(':')) === knownText ? secretsOf(key, encryptionSalt) : undefined;
};
