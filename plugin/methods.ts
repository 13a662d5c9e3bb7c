import {
  decodeDecryptRequest,
  decodeEncryptRequest,
  encodeDecryptResponse,
  encodeEncryptResponse,
  encodeStatusResponse,
} from '../protos/kms/v2/messages.ts';
import { MalformedMessage } from '../protos/wire.ts';
import type { UnaryMethod } from './grpc/calls.ts';
import { StatusCode, StatusError, statusErrorOf } from './grpc/status.ts';
import type { KmsService } from './service.ts';

/** One call that has ended. */
export interface CallReport {
  readonly method: 'Status' | 'Encrypt' | 'Decrypt';
  /** The caller's name for it; empty where it gave none. */
  readonly uid: string;
  readonly seconds: number;
  /** Undefined where it went well. */
  readonly error: StatusError | undefined;
}

export type OnCall = (report: CallReport) => void;

const asStatusError = (thrown: unknown): StatusError =>
  thrown instanceof MalformedMessage
    ? new StatusError(StatusCode.INTERNAL, `the request is malformed: ${thrown.message}`)
    : statusErrorOf(thrown);

/** A KMS service as methods of gRPC, by their paths. */
export const kmsMethods = (service: KmsService, onCall: OnCall): ReadonlyMap<string, UnaryMethod> => {
  const method =
    <Request extends { readonly uid: string }>(
      name: CallReport['method'],
      decode: (message: Buffer) => Request,
      answer: (request: Request) => Uint8Array,
    ): UnaryMethod =>
    (message) => {
      const start = performance.now();
      let uid = '';
      const report = (error: StatusError | undefined): void =>
        onCall({ method: name, uid, seconds: (performance.now() - start) / 1000, error });
      try {
        const request = decode(message);
        uid = request.uid;
        const response = answer(request);
        report(undefined);
        return response;
      } catch (thrown) {
        const error = asStatusError(thrown);
        report(error);
        throw error;
      }
    };
  const path = '/v2.KeyManagementService';
  return new Map([
    [
      `${path}/Status`,
      method(
        'Status',
        () => ({ uid: '' }),
        () => encodeStatusResponse(service.status()),
      ),
    ],
    [`${path}/Encrypt`, method('Encrypt', decodeEncryptRequest, (it) => encodeEncryptResponse(service.encrypt(it)))],
    [`${path}/Decrypt`, method('Decrypt', decodeDecryptRequest, (it) => encodeDecryptResponse(service.decrypt(it)))],
  ]);
};
