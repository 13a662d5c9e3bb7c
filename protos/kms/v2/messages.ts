import { decodeString, FieldWriter, readFields } from '../../wire.ts';

/** The messages of api.proto, beside this file, for both sides. Field names are its names in camel case, absent fields are empty. */
export interface StatusResponse {
  readonly version: string;
  readonly healthz: string;
  readonly keyId: string;
}

export type Annotations = ReadonlyMap<string, Uint8Array>;

export interface EncryptRequest {
  readonly plaintext: Uint8Array;
  readonly uid: string;
}

export interface EncryptResponse {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
  readonly annotations: Annotations;
}

export interface DecryptRequest {
  readonly ciphertext: Uint8Array;
  readonly uid: string;
  readonly keyId: string;
  readonly annotations: Annotations;
}

export interface DecryptResponse {
  readonly plaintext: Uint8Array;
}

const nothing: Buffer = Buffer.alloc(0);

export const encodeStatusResponse = ({ version, healthz, keyId }: StatusResponse): Buffer =>
  new FieldWriter().string(1, version).string(2, healthz).string(3, keyId).finish();

/** @throws MalformedMessage */
export const decodeStatusResponse = (message: Buffer): StatusResponse => {
  let version = '';
  let healthz = '';
  let keyId = '';
  readFields(message, (number, bytes) => {
    if (number === 1) version = decodeString(bytes);
    else if (number === 2) healthz = decodeString(bytes);
    else if (number === 3) keyId = decodeString(bytes);
  });
  return { version, healthz, keyId };
};

export const encodeEncryptRequest = ({ plaintext, uid }: EncryptRequest): Buffer =>
  new FieldWriter().bytes(1, plaintext).string(2, uid).finish();

/** @throws MalformedMessage */
export const decodeEncryptRequest = (message: Buffer): EncryptRequest => {
  let plaintext = nothing;
  let uid = '';
  readFields(message, (number, bytes) => {
    if (number === 1) plaintext = bytes;
    else if (number === 2) uid = decodeString(bytes);
  });
  return { plaintext, uid };
};

const encodeAnnotation = (key: string, value: Uint8Array): Buffer =>
  new FieldWriter().string(1, key).bytes(2, value).finish();

const decodeAnnotation = (entry: Buffer): readonly [key: string, value: Uint8Array] => {
  let key = '';
  let value = nothing;
  readFields(entry, (number, bytes) => {
    if (number === 1) key = decodeString(bytes);
    else if (number === 2) value = bytes;
  });
  return [key, value];
};

export const encodeEncryptResponse = ({ ciphertext, keyId, annotations }: EncryptResponse): Buffer => {
  const fields = new FieldWriter().bytes(1, ciphertext).string(2, keyId);
  for (const [key, value] of annotations) fields.bytes(3, encodeAnnotation(key, value));
  return fields.finish();
};

/** @throws MalformedMessage */
export const decodeEncryptResponse = (message: Buffer): EncryptResponse => {
  let ciphertext = nothing;
  let keyId = '';
  const annotations = new Map<string, Uint8Array>();
  readFields(message, (number, bytes) => {
    if (number === 1) ciphertext = bytes;
    else if (number === 2) keyId = decodeString(bytes);
    else if (number === 3) annotations.set(...decodeAnnotation(bytes));
  });
  return { ciphertext, keyId, annotations };
};

export const encodeDecryptRequest = ({ ciphertext, uid, keyId, annotations }: DecryptRequest): Buffer => {
  const fields = new FieldWriter().bytes(1, ciphertext).string(2, uid).string(3, keyId);
  for (const [key, value] of annotations) fields.bytes(4, encodeAnnotation(key, value));
  return fields.finish();
};

/** @throws MalformedMessage */
export const decodeDecryptRequest = (message: Buffer): DecryptRequest => {
  let ciphertext = nothing;
  let uid = '';
  let keyId = '';
  const annotations = new Map<string, Uint8Array>();
  readFields(message, (number, bytes) => {
    if (number === 1) ciphertext = bytes;
    else if (number === 2) uid = decodeString(bytes);
    else if (number === 3) keyId = decodeString(bytes);
    else if (number === 4) annotations.set(...decodeAnnotation(bytes));
  });
  return { ciphertext, uid, keyId, annotations };
};

export const encodeDecryptResponse = ({ plaintext }: DecryptResponse): Buffer =>
  new FieldWriter().bytes(1, plaintext).finish();

/** @throws MalformedMessage */
export const decodeDecryptResponse = (message: Buffer): DecryptResponse => {
  let plaintext = nothing;
  readFields(message, (number, bytes) => {
    if (number === 1) plaintext = bytes;
  });
  return { plaintext };
};
