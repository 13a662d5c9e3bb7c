/** How a value in etcd is stored. */
export type StoredValue =
  | { readonly encrypted: false }
  | {
      readonly encrypted: true;
      /** Name of the provider: `1_secrets`. */
      readonly key: string;
      /** The plugin's id of the key-encryption key that protects the value's data-encryption key; KMS v2 only. */
      readonly kekID?: string;
    };

const encryptedPrefix = 'k8s:enc:';
const kmsV2Prefix = `${encryptedPrefix}kms:v2:`;
const keyIdField = 2;

const readVarint = (bytes: Buffer, at: number): { value: number; next: number } => {
  let value = 0;
  let factor = 1;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes.readUInt8(i);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: i + 1 };
    factor *= 128;
  }
  throw new RangeError('a protobuf number is cut short');
};

/**
 * `keyID` of an EncryptedObject, the protobuf message that KMS v2 stores; all its fields are bytes or numbers.
 * @see k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto
 */
const keyIdOf = (message: Buffer): string | undefined => {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const content = readVarint(message, tag.next);
    const wireType = tag.value & 7;
    if (wireType === 0) {
      at = content.next;
      continue;
    }
    const end = content.next + content.value;
    if (Math.floor(tag.value / 8) === keyIdField) return message.toString('utf8', content.next, end);
    at = end;
  }
  return undefined;
};

/** Reads the prefix that kube-apiserver puts before an encrypted value: `k8s:enc:<kind>:<version>:<key>:`. */
export const parseStoredValue = (value: Buffer): StoredValue => {
  const head = value.subarray(0, 512).toString('latin1');
  if (!head.startsWith(encryptedPrefix)) return { encrypted: false };
  const [, , , , key = ''] = head.split(':');
  if (!head.startsWith(kmsV2Prefix)) return { encrypted: true, key };
  const kekID = keyIdOf(value.subarray(kmsV2Prefix.length + key.length + 1));
  return kekID === undefined ? { encrypted: true, key } : { encrypted: true, key, kekID };
};
