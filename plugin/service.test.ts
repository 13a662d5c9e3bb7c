import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StatusCode } from './grpc/status.ts';
import { kekLength, keyIdOf } from './kek.ts';
import { createKeyring } from './keyring.ts';
import { createKmsService } from './service.ts';

const older = { key: randomBytes(kekLength), createdAt: '' };
const keyring = createKeyring([older, { key: randomBytes(kekLength), createdAt: '' }]);
const service = createKmsService(keyring);
const uid = 'u';
const encrypted = service.encrypt({ plaintext: Buffer.from('seed'), uid });

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
  expect(service.decrypt({ ...encrypted, uid })).toEqual({ plaintext: Buffer.from('seed') });
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

  test("another of its own keys' ID", () => {
    expect(codeOf(() => service.decrypt({ ...encrypted, uid, keyId: keyIdOf(older.key) }))).toBe(
      StatusCode.INVALID_ARGUMENT,
    );
  });
});
