import { join } from 'node:path';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { describe, expect, test } from 'vitest';
import {
  decodeDecryptRequest,
  decodeDecryptResponse,
  decodeEncryptRequest,
  decodeEncryptResponse,
  decodeStatusResponse,
  encodeDecryptRequest,
  encodeDecryptResponse,
  encodeEncryptRequest,
  encodeEncryptResponse,
  encodeStatusResponse,
} from './messages.ts';

const service = loadSync(join(import.meta.dirname, 'api.proto'), { defaults: true })['v2.KeyManagementService'];

const method = (name: string): MethodDefinition<object, object> => {
  const found = service !== undefined && name in service ? Reflect.get(service, name) : undefined;
  if (found === undefined) throw new Error(`api.proto has no method ${name}`);
  return found;
};

const plaintext = Buffer.from('seed');
const ciphertext = Buffer.from('sealed');
const uid = '3f1c1b1e-7b0e-4d7e-9d6b-0c8b8c2c9a11';
const keyId = 'kek-ü';

describe('the codec agrees with one that is made from api.proto', () => {
  test.each(['Status', 'Encrypt', 'Decrypt'])('the path of %s', (name) => {
    expect(method(name).path).toBe(`/v2.KeyManagementService/${name}`);
  });

  test('StatusResponse', () => {
    const status = { version: 'v2', healthz: 'ok', keyId };
    expect(method('Status').responseDeserialize(encodeStatusResponse(status))).toEqual(status);
    expect(decodeStatusResponse(encodeStatusResponse(status))).toEqual(status);
    expect(decodeStatusResponse(Buffer.alloc(0))).toEqual({ version: '', healthz: '', keyId: '' });
  });

  test('EncryptRequest', () => {
    expect(decodeEncryptRequest(method('Encrypt').requestSerialize({ plaintext, uid }))).toEqual({ plaintext, uid });
    expect(method('Encrypt').requestDeserialize(encodeEncryptRequest({ plaintext, uid }))).toEqual({ plaintext, uid });
    expect(decodeEncryptRequest(Buffer.alloc(0))).toEqual({ plaintext: Buffer.alloc(0), uid: '' });
  });

  test('EncryptResponse', () => {
    const annotations = { 'a.example.com': Buffer.from('1'), 'b.example.com': Buffer.alloc(300, 2) };
    const response = { ciphertext, keyId, annotations: new Map(Object.entries(annotations)) };
    const encoded = encodeEncryptResponse(response);
    expect(method('Encrypt').responseDeserialize(encoded)).toEqual({ ciphertext, keyId, annotations });
    expect(decodeEncryptResponse(encoded)).toEqual(response);
  });

  test('DecryptRequest', () => {
    const annotations = { 'a.example.com': Buffer.from('1'), empty: Buffer.alloc(0) };
    const request = { ciphertext, uid, keyId, annotations: new Map(Object.entries(annotations)) };
    const encoded = method('Decrypt').requestSerialize({ ciphertext, uid, keyId, annotations });
    expect(decodeDecryptRequest(encoded)).toEqual(request);
    expect(decodeDecryptRequest(encodeDecryptRequest(request))).toEqual(request);
  });

  test('DecryptResponse', () => {
    const encoded = encodeDecryptResponse({ plaintext });
    expect(method('Decrypt').responseDeserialize(encoded)).toEqual({ plaintext });
    expect(decodeDecryptResponse(encoded)).toEqual({ plaintext });
  });
});
