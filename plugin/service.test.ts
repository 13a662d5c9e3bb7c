import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyIdOf } from './derivation.ts';
import { StatusCode } from './grpc/status.ts';
import { createKeyring } from './keyring.ts';
import { createKmsService } from './service.ts';

const seed = randomBytes(32);
const keyring = createKeyring(seed, 1, 2);
const service = createKmsService(keyring);
const uid = 'u';
const encrypted = service.encrypt({ plaintext: Buffer.from('text'), uid });

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
};

test('status names the key that encrypts', () => {
  expect(service.status()).toEqual({ version: 'v2', healthz: 'ok', keyId: encrypted.keyId });
  expect(encrypted.keyId).toBe(keyring.writeKek.keyId);
});

test('what was encrypted is decrypted', () => {
  expect(service.decrypt({ ...encrypted, uid })).toEqual({ plaintext: Buffer.from('text') });
});

test('a ciphertext never exceeds what kube-apiserver takes', () => {
  expect(service.encrypt({ plaintext: Buffer.alloc(996), uid }).ciphertext).toHaveLength(1024);
  expect(codeOf(() => service.encrypt({ plaintext: Buffer.alloc(997), uid }))).toBe(StatusCode.INVALID_ARGUMENT);
});

describe('decrypt refuses', () => {
  test.each([
    ['no key ID', { keyId: '' }, StatusCode.INVALID_ARGUMENT],
    ['a key ID that is too long', { keyId: 'k'.repeat(1025) }, StatusCode.INVALID_ARGUMENT],
    ['a key that is not here', { keyId: 'k'.repeat(1024) }, StatusCode.NOT_FOUND],
    ['a ciphertext that is too long', { ciphertext: Buffer.alloc(1025) }, StatusCode.INVALID_ARGUMENT],
    ['no ciphertext', { ciphertext: Buffer.alloc(0) }, StatusCode.INVALID_ARGUMENT],
    ['no annotations', { annotations: new Map() }, StatusCode.INVALID_ARGUMENT],
  ])('%s', (_name, change, code) => {
    expect(codeOf(() => service.decrypt({ ...encrypted, uid, ...change }))).toBe(code);
  });

  test("another of its own versions' ID", () => {
    expect(codeOf(() => service.decrypt({ ...encrypted, uid, keyId: keyIdOf(seed, 1, 1) }))).toBe(
      StatusCode.INVALID_ARGUMENT,
    );
  });
});
