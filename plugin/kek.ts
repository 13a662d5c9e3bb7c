import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto';
import type { Annotations } from '../protos/kms/v2/messages.ts';
import { StatusCode, StatusError } from './grpc/status.ts';

/** Length of a key-encryption key, bytes. */
export const kekLength = 32;

const cipher = 'aes-256-gcm';
const nonceLength = 12;
const tagLength = 16;

/** What sealing adds to a plaintext, bytes: nonce before it, tag after it. */
export const sealOverhead = nonceLength + tagLength;

/** Says how a ciphertext is made. kube-apiserver takes only fully qualified domain names as keys, so no slash. */
const annotations: Annotations = new Map([['envelope.kms.understudy.dev', Buffer.from('aes-256-gcm.v1')]]);

/** A key-encryption key (KEK): it seals the seeds of data-encryption keys, and opens what it has sealed. */
export interface Kek {
  /** Names the key in etcd and in logs; tells nothing of it. */
  readonly keyId: string;
  /** Go with each ciphertext, and must come back with it unchanged. */
  readonly annotations: Annotations;
  seal(plaintext: Uint8Array): Buffer;
  /** @throws StatusError (INVALID_ARGUMENT) for anything that this key has not sealed just so. */
  open(ciphertext: Uint8Array, annotations: Annotations): Buffer;
}

/**
 * What a ciphertext is bound to (GCM's associated data). Each part goes after its length, so that no two lists of
 * parts give the same bytes.
 */
export const associatedData = (keyId: string, bound: Annotations): Buffer => {
  const byKey = [...bound].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [Buffer.from(keyId), ...byKey.flatMap(([key, value]) => [Buffer.from(key), value])];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
};

/** Nonces are drawn many at once: to draw one costs a third of what sealing costs. */
const nonceSource = (): (() => Uint8Array) => {
  const drawn = Buffer.alloc(256 * nonceLength);
  let used = drawn.length;
  return () => {
    if (used === drawn.length) {
      randomFillSync(drawn);
      used = 0;
    }
    used += nonceLength;
    return drawn.subarray(used - nonceLength, used);
  };
};

const sameAnnotations = (a: Annotations, b: Annotations): boolean =>
  a.size === b.size && [...a].every(([key, value]) => Buffer.compare(value, b.get(key) ?? Buffer.alloc(0)) === 0);

const refuse = (message: string): never => {
  throw new StatusError(StatusCode.INVALID_ARGUMENT, message);
};

/** @param key `kekLength` bytes. */
export const createKek = (keyId: string, key: Uint8Array): Kek => {
  const secret = createSecretKey(key);
  const bound = associatedData(keyId, annotations);
  const nextNonce = nonceSource();
  return {
    keyId,
    annotations,
    seal: (plaintext) => {
      const nonce = nextNonce();
      const sealing = createCipheriv(cipher, secret, nonce).setAAD(bound);
      return Buffer.concat([nonce, sealing.update(plaintext), sealing.final(), sealing.getAuthTag()]);
    },
    open: (ciphertext, given) => {
      if (!sameAnnotations(given, annotations)) refuse('the annotations are not those of the ciphertext');
      if (ciphertext.length < sealOverhead) refuse(`a ciphertext has at least ${sealOverhead} bytes`);
      const end = ciphertext.length - tagLength;
      const opening = createDecipheriv(cipher, secret, ciphertext.subarray(0, nonceLength), {
        authTagLength: tagLength,
      });
      opening.setAAD(bound).setAuthTag(ciphertext.subarray(end));
      const plaintext = opening.update(ciphertext.subarray(nonceLength, end));
      try {
        opening.final();
      } catch {
        refuse('the ciphertext is not what this key has sealed');
      }
      return plaintext;
    },
  };
};
