import {
  decodeDecryptRequest,
  decodeEncryptRequest,
  encodeDecryptResponse,
  encodeEncryptResponse,
  encodeStatusResponse,
} from '../protos/kms/v2/messages.ts';
import { MalformedMessage } from '../protos/wire.ts';
import type { FaultyService } from './faults/faultyService.ts';
import type { UnaryMethod } from './grpc/calls.ts';
import { StatusCode, StatusError, statusErrorOf } from './grpc/status.ts';

/** One call that has ended. */
export interface CallReport {
  /** Number of the key that was called. */
  readonly key: number;
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

/** The KMS service of one key as methods of gRPC, by their paths. */
export const kmsMethods = (key: number, service: FaultyService, onCall: OnCall): ReadonlyMap<string, UnaryMethod> => {
  const method =
    <Request extends { readonly uid: string }, Response>(
      name: CallReport['method'],
      decode: (message: Buffer) => Request,
      answer: (request: Request) => Response | Promise<Response>,
      encode: (response: Response) => Uint8Array,
    ): UnaryMethod =>
    (message) => {
      const start = performance.now();
      let uid = '';
      const report = (error: StatusError | undefined): void =>
        onCall({ key, method: name, uid, seconds: (performance.now() - start) / 1000, error });
      const succeed = (response: Response): Uint8Array => {
        const encoded = encode(response);
        report(undefined);
        return encoded;
      };
      const fail = (thrown: unknown): never => {
        const error = asStatusError(thrown);
        report(error);
        throw error;
      };
      try {
        const request = decode(message);
        uid = request.uid;
        const response = answer(request);
        // Only a fault answers late: as late as it says, whatever the bound on calls is.
        if (response instanceof Promise) return { response: response.then(succeed).catch(fail) };
        return succeed(response);
      } catch (thrown) {
        return fail(thrown);
      }
    };
  const path = '/v2.KeyManagementService';
  const noFields = (): { readonly uid: string } => ({ uid: '' });
  return new Map([
    [`${path}/Status`, method('Status', noFields, service.status, encodeStatusResponse)],
    [`${path}/Encrypt`, method('Encrypt', decodeEncryptRequest, service.encrypt, encodeEncryptResponse)],
    [`${path}/Decrypt`, method('Decrypt', decodeDecryptRequest, service.decrypt, encodeDecryptResponse)],
  ]);
};
