import { expect, it } from 'vitest';
import type { StatusResponse } from '../protos/kms/v2/messages.ts';
import { judge } from './judge.ts';

const now = '2026-11-26T18:00:00.000Z';
const well: StatusResponse = { version: 'v2', healthz: 'ok', keyId: 'kek-1' };
const answer = (changes: Partial<StatusResponse>) => judge('1', { ok: true, response: { ...well, ...changes } }, now);
const checked = { keyID: '1', lastChecked: now } as const;

it('is healthy as kube-apiserver means it', () => {
  expect(answer({})).toEqual({ ...checked, kekID: 'kek-1', status: 'healthy' });
  expect(answer({ version: 'v2beta1' }).status).toBe('healthy');
  expect(answer({ keyId: 'x'.repeat(1_024) })).toMatchObject({ status: 'healthy', kekID: 'x'.repeat(1_024) });
});

it.each([
  [{ healthz: 'credential lacks decrypt permission' }, 'credential lacks decrypt permission', 'kek-1'],
  [{ healthz: '' }, 'healthz is empty', 'kek-1'],
  [{ healthz: 'OK' }, 'OK', 'kek-1'],
  [{ version: 'v1' }, "version is 'v1', not v2", 'kek-1'],
  [{ version: '' }, "version is '', not v2", 'kek-1'],
  [{ keyId: '' }, 'key_id is empty', undefined],
  [{ keyId: 'x'.repeat(1_025) }, 'key_id has 1025 bytes, kube-apiserver takes 1024', undefined],
  [{ keyId: 'é'.repeat(513) }, 'key_id has 1026 bytes, kube-apiserver takes 1024', undefined],
  [{ healthz: '', version: '', keyId: '' }, "healthz is empty; version is '', not v2; key_id is empty", undefined],
])('%j is unhealthy', (changes, detail, kekID) => {
  expect(answer(changes)).toEqual({ ...checked, ...(kekID && { kekID }), status: 'unhealthy', detail });
});

it('texts of a megabyte are cut', () => {
  const huge = 'x'.repeat(1_000_000);
  const report = answer({ healthz: huge, version: huge, keyId: huge });
  expect(report.status).toBe('unhealthy');
  expect(report.kekID).toBeUndefined();
  expect(JSON.stringify(report).length).toBeLessThan(1_300);
});

it('a failed call is an error', () => {
  const error = {
    socketPath: '/x',
    method: 'Status',
    code: 'UNAVAILABLE',
    details: 'connection refused',
    message: '',
  } as const;
  expect(judge('1', { ok: false, error }, now)).toEqual({
    ...checked,
    status: 'error',
    detail: 'UNAVAILABLE: connection refused',
  });
});
