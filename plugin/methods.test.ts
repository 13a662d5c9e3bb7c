import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeStatusResponse } from '../protos/kms/v2/messages.ts';
import { FieldWriter } from '../protos/wire.ts';
import type { FaultyService } from './faults/faultyService.ts';
import { StatusCode, StatusError } from './grpc/status.ts';
import { createKeyring } from './keyring.ts';
import { type CallReport, kmsMethods } from './methods.ts';
import { createKmsService } from './service.ts';

const service = createKmsService(createKeyring(randomBytes(32), 1, 1));

const call = (kms: FaultyService, method: string, request: Uint8Array) => {
  const reports: CallReport[] = [];
  const run = kmsMethods(1, kms, (report) => reports.push(report)).get(`/v2.KeyManagementService/${method}`);
  let thrown: unknown;
  try {
    run?.(Buffer.from(request));
  } catch (error) {
    thrown = error;
  }
  return { thrown, reports };
};

test('each call is reported with its uid and its time', () => {
  const request = new FieldWriter().bytes(1, Buffer.from('seed')).string(2, 'uid-1').finish();
  const { thrown, reports } = call(service, 'Encrypt', request);
  expect(thrown).toBeUndefined();
  expect(reports).toEqual([{ key: 1, method: 'Encrypt', uid: 'uid-1', seconds: expect.any(Number), error: undefined }]);
  expect(reports[0]?.seconds).toBeGreaterThan(0);
  expect(call(service, 'Status', Buffer.alloc(0)).reports).toMatchObject([{ method: 'Status', uid: '' }]);
});

test('a refusal is reported and goes on to the caller', () => {
  const request = new FieldWriter().bytes(1, Buffer.alloc(28)).string(2, 'uid-2').string(3, 'kek-x').finish();
  const { thrown, reports } = call(service, 'Decrypt', request);
  expect(thrown).toMatchObject({ code: StatusCode.NOT_FOUND });
  expect(reports).toEqual([{ key: 1, method: 'Decrypt', uid: 'uid-2', seconds: expect.any(Number), error: thrown }]);
});

test('a request that is no message is INTERNAL, as gRPC has it', () => {
  const { thrown } = call(service, 'Decrypt', Buffer.from([0x0a, 5]));
  expect(thrown).toMatchObject({ code: StatusCode.INTERNAL, message: expect.stringContaining('malformed') });
});

test("the plugin's own mistakes are kept from the caller and told to the report", () => {
  const mistake = new Error('secret');
  const broken: FaultyService = {
    ...service,
    status: () => {
      throw mistake;
    },
  };
  const { thrown, reports } = call(broken, 'Status', Buffer.alloc(0));
  expect(thrown).toBeInstanceOf(StatusError);
  expect(thrown).toMatchObject({ code: StatusCode.INTERNAL, message: expect.not.stringContaining('secret') });
  expect(reports[0]?.error?.cause).toBe(mistake);
});

describe('an answer that a fault delays', () => {
  const status = { version: 'v2', healthz: 'ok', keyId: 'id' };
  const late = async (answer: () => Promise<typeof status>) => {
    const reports: CallReport[] = [];
    const methods = kmsMethods(1, { ...service, status: answer }, (report) => reports.push(report));
    const returned = methods.get('/v2.KeyManagementService/Status')?.(Buffer.alloc(0));
    if (returned === undefined || !('response' in returned)) throw new Error('not late');
    expect(reports).toEqual([]);
    return { settled: (await Promise.allSettled([returned.response]))[0], reports };
  };

  test('is not bounded, and reported when it comes', async () => {
    const { settled, reports } = await late(async () => status);
    expect(settled).toEqual({ status: 'fulfilled', value: encodeStatusResponse(status) });
    expect(reports).toMatchObject([{ key: 1, method: 'Status', error: undefined }]);
  });

  test('may be a refusal', async () => {
    const refusal = new StatusError(StatusCode.UNAVAILABLE, 'out of order');
    const { settled, reports } = await late(() => Promise.reject(refusal));
    expect(settled).toEqual({ status: 'rejected', reason: refusal });
    expect(reports).toMatchObject([{ key: 1, error: refusal }]);
  });
});
