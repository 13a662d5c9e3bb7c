import { randomUUID } from 'node:crypto';
import { Client, status as codes, credentials, type ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../../../common/failure.ts';
import {
  type DecryptRequest,
  type DecryptResponse,
  decodeDecryptResponse,
  decodeEncryptResponse,
  decodeStatusResponse,
  type EncryptResponse,
  encodeDecryptRequest,
  encodeEncryptRequest,
  type StatusResponse,
} from './messages.ts';

/** A call that a plugin did not answer well. */
export interface KmsCallError {
  readonly socketPath: string;
  readonly method: 'Status' | 'Encrypt' | 'Decrypt';
  /** gRPC's name of it, such as UNAVAILABLE or DEADLINE_EXCEEDED. */
  readonly code: string;
  /** What the plugin said, or what is wrong with the connection. */
  readonly details: string;
  /** One sentence for people: socket, method, code and what the plugin said. */
  readonly message: string;
}

export type KmsResult<Response> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly error: KmsCallError };

/** Calls one plugin. No method rejects. */
export interface KmsClient {
  status(): Promise<KmsResult<StatusResponse>>;
  encrypt(plaintext: Uint8Array): Promise<KmsResult<EncryptResponse>>;
  /** `encrypted` as a response to encrypt has it. */
  decrypt(encrypted: Omit<DecryptRequest, 'uid'>): Promise<KmsResult<DecryptResponse>>;
  close(): void;
}

/** A plugin that comes back is to be found at once: the default waits for up to two minutes. */
const reconnecting = {
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // Two clients of one socket fail each by itself.
  'grpc.use_local_subchannel_pool': 1,
};

/**
 * @param socketPath absolute path of the plugin's socket.
 * @param deadlineMs bound on each call, the time to connect included; milliseconds.
 */
export const kmsClient = (socketPath: string, deadlineMs: number): KmsClient => {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure(), reconnecting);
  const call = <Response>(
    method: KmsCallError['method'],
    request: Buffer,
    decode: (message: Buffer) => Response,
  ): Promise<KmsResult<Response>> =>
    new Promise((resolve) => {
      const fail = (code: string, details: string): void => {
        const message = `${method} at ${socketPath}: ${code}: ${details}`;
        resolve({ ok: false, error: { socketPath, method, code, details, message } });
      };
      try {
        client.makeUnaryRequest(
          `/v2.KeyManagementService/${method}`,
          (message: Buffer) => message,
          decode,
          request,
          { deadline: Date.now() + deadlineMs },
          (error: ServiceError | null, response?: Response) => {
            if (error === null && response !== undefined) resolve({ ok: true, response });
            else fail(codes[error?.code ?? codes.INTERNAL] ?? 'UNKNOWN', error?.details ?? 'no response');
          },
        );
      } catch (thrown) {
        // A client that was closed throws at once.
        fail('CANCELLED', messageOf(thrown));
      }
    });
  return {
    status: () => call('Status', Buffer.alloc(0), decodeStatusResponse),
    encrypt: (plaintext) =>
      call('Encrypt', encodeEncryptRequest({ plaintext, uid: randomUUID() }), decodeEncryptResponse),
    decrypt: (encrypted) =>
      call('Decrypt', encodeDecryptRequest({ ...encrypted, uid: randomUUID() }), decodeDecryptResponse),
    close: () => client.close(),
  };
};
