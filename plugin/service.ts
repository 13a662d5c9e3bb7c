import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  StatusResponse,
} from '../protos/kms/v2/messages.ts';
import { StatusCode, StatusError } from './grpc/status.ts';
import { sealOverhead } from './kek.ts';
import type { Keyring } from './keyring.ts';

/** KMS v2 as kube-apiserver calls it. Each method may throw StatusError. */
export interface KmsService {
  status(): StatusResponse;
  encrypt(request: EncryptRequest): EncryptResponse;
  decrypt(request: DecryptRequest): DecryptResponse;
}

/** kube-apiserver takes no longer ciphertext and key ID than this, bytes. */
const longestField = 1024;

const longestPlaintext = longestField - sealOverhead;

const refuse = (message: string): never => {
  throw new StatusError(StatusCode.INVALID_ARGUMENT, message);
};

/** Encrypts and decrypts under the keys of a keyring. */
export const createKmsService = (keyring: Keyring): KmsService => ({
  status: () => ({ version: 'v2', healthz: 'ok', keyId: keyring.writeKek.keyId }),

  encrypt: ({ plaintext }) => {
    if (plaintext.length > longestPlaintext) {
      refuse(`plaintext of ${plaintext.length} bytes, the limit is ${longestPlaintext}`);
    }
    const { keyId, annotations, seal } = keyring.writeKek;
    return { ciphertext: seal(plaintext), keyId, annotations };
  },

  decrypt: ({ ciphertext, keyId, annotations }) => {
    if (keyId === '' || Buffer.byteLength(keyId) > longestField) refuse(`a key ID has 1 to ${longestField} bytes`);
    if (ciphertext.length > longestField) {
      refuse(`ciphertext of ${ciphertext.length} bytes, the limit is ${longestField}`);
    }
    const kek = keyring.find(keyId);
    // The ID comes from etcd and may be anything: quoted as JSON it cannot forge a line of a log.
    if (kek === undefined) throw new StatusError(StatusCode.NOT_FOUND, `no key ${JSON.stringify(keyId)} here`);
    return { plaintext: kek.open(ciphertext, annotations) };
  },
});
