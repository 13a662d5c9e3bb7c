import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { StatusCode, StatusError } from '../grpc/status.ts';
import type { KmsService } from '../service.ts';
import type { Fault } from './fault.ts';
import { aliasOf, keyBehind, withFaults } from './faultyService.ts';

const keyId = 'some-key';
const bytes = Buffer.from('bytes');

/** Answers, and decrypts nothing but what is under its key. */
const honest: KmsService = {
  status: () => ({ version: 'v2', healthz: 'ok', keyId }),
  encrypt: ({ plaintext }) => ({ ciphertext: plaintext, keyId, annotations: new Map() }),
  decrypt: (request) => {
    if (request.keyId !== keyId) throw new StatusError(StatusCode.NOT_FOUND, request.keyId);
    return { plaintext: request.ciphertext };
  },
};

const withThese = (...faults: readonly Fault[]) => withFaults(honest, 1, () => faults);

const encryption = { plaintext: bytes, uid: '' };
const decryptionOf = (of: string) => ({ ciphertext: bytes, keyId: of, annotations: new Map(), uid: '' });

test('without faults every answer is what the service says, at once', () => {
  const service = withThese();
  expect(service.status()).toEqual(honest.status());
  expect(service.encrypt(encryption)).toEqual(honest.encrypt(encryption));
  expect(service.decrypt(decryptionOf(keyId))).toEqual({ plaintext: bytes });
});

test('faults are looked up at each call', () => {
  let faults: readonly Fault[] = [];
  const service = withFaults(honest, 1, () => faults);
  expect(service.status()).toEqual(honest.status());
  faults = [{ name: 'f', kind: 'unhealthy' }];
  expect(service.status()).toEqual({ ...honest.status(), healthz: 'unhealthy' });
  faults = [];
  expect(service.status()).toEqual(honest.status());
});

test('a fault runs out by the clock', () => {
  let now = Date.parse('2026-11-21T11:59:59Z');
  const faults: readonly Fault[] = [{ name: 'f', kind: 'unhealthy', until: '2026-11-21T12:00:00Z' }];
  const service = withFaults(
    honest,
    1,
    () => faults,
    () => now,
  );
  expect(service.status()).toMatchObject({ healthz: 'unhealthy' });
  now += 1_000;
  expect(service.status()).toEqual(honest.status());
});

test('an error is thrown with its code and message', () => {
  const service = withThese({ name: 'f', kind: 'error', code: 'DATA_LOSS', message: 'gone' });
  expect(() => service.encrypt(encryption)).toThrow(new StatusError(StatusCode.DATA_LOSS, 'gone'));
});

test('latency is waited for, and then the error behind it thrown', async () => {
  const slow: Fault = { name: 'f', kind: 'latency', milliseconds: 30 };
  const start = performance.now();
  expect(await withThese(slow).status()).toEqual(honest.status());
  // Timers count whole milliseconds.
  expect(performance.now() - start).toBeGreaterThan(28);
  await expect(withThese(slow, { name: 'g', kind: 'error', code: 'ABORTED' }).status()).rejects.toThrow('fault g');
});

test('a hang has no answer', async () => {
  const answer = Promise.resolve(withThese({ name: 'f', kind: 'hang' }).status());
  expect(await Promise.race([answer, sleep(20, 'nothing')])).toBe('nothing');
});

describe('key_ids', () => {
  test('empty and oversized, in Status and in Encrypt alike', () => {
    const empty = withThese({ name: 'f', kind: 'empty-key-id' });
    expect([empty.status(), empty.encrypt(encryption)]).toMatchObject([{ keyId: '' }, { keyId: '' }]);
    const oversized = withThese({ name: 'f', kind: 'oversized-key-id' });
    for (const answer of [oversized.status(), oversized.encrypt(encryption)]) {
      expect(answer).toMatchObject({ keyId: expect.stringMatching(/^.{1025}$/) });
    }
  });

  test('mismatched between Status and Encrypt', () => {
    const service = withThese({ name: 'f', kind: 'mismatched-key-id' });
    expect(service.status()).toMatchObject({ keyId });
    expect(service.encrypt(encryption)).toMatchObject({ keyId: aliasOf(keyId) });
  });

  test('to and fro with each Status', () => {
    const service = withThese({ name: 'f', kind: 'flip-flop-key-id' });
    expect([service.status(), service.status(), service.status()]).toMatchObject([
      { keyId: aliasOf(keyId) },
      { keyId },
      { keyId: aliasOf(keyId) },
    ]);
    expect(service.encrypt(encryption)).toMatchObject({ keyId: aliasOf(keyId) });
  });

  test('what was encrypted under an alias decrypts, with the fault and ever after', () => {
    for (const service of [withThese({ name: 'f', kind: 'flip-flop-key-id' }), withThese()]) {
      expect(service.decrypt(decryptionOf(aliasOf(keyId)))).toEqual({ plaintext: bytes });
    }
    expect(() => withThese().decrypt(decryptionOf('another-alias'))).toThrow('another');
    expect(keyBehind(keyId)).toBe(keyId);
  });
});
