import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  StatusResponse,
} from '../../protos/kms/v2/messages.ts';
import { StatusError } from '../grpc/status.ts';
import type { KmsService } from '../service.ts';
import { type AnswerChange, decide, freshMemory, type KeyIdChange } from './decide.ts';
import type { Fault, FaultMethod } from './fault.ts';

/** KMS v2 with answers that may come late or never. */
export interface FaultyService {
  status(): StatusResponse | Promise<StatusResponse>;
  encrypt(request: EncryptRequest): EncryptResponse | Promise<EncryptResponse>;
  decrypt(request: DecryptRequest): DecryptResponse | Promise<DecryptResponse>;
}

/** kube-apiserver takes 1024 (k8s.io/kms, `ValidateKeyID`). */
const oversizedLength = 1025;

const aliasEnd = '-alias';

/**
 * Another name of the key `keyId`. What was encrypted while a fault gave out this name is in etcd under it, so it
 * decrypts ever after, with or without the fault.
 */
export const aliasOf = (keyId: string): string => `${keyId}${aliasEnd}`;

/** The key behind a name: `keyId` itself where it is no alias. */
export const keyBehind = (keyId: string): string =>
  keyId.endsWith(aliasEnd) ? keyId.slice(0, -aliasEnd.length) : keyId;

const bentKeyId = (keyId: string, change: KeyIdChange): string => {
  if (change === 'alias') return aliasOf(keyId);
  return change === 'empty' ? '' : keyId.padEnd(oversizedLength, 'x');
};

const withKeyId = <Answer extends { readonly keyId: string }>(answer: Answer, { keyId }: AnswerChange): Answer =>
  keyId === undefined ? answer : { ...answer, keyId: bentKeyId(answer.keyId, keyId) };

const bentStatus = (answer: StatusResponse, change: AnswerChange): StatusResponse => ({
  ...withKeyId(answer, change),
  version: change.version ?? answer.version,
  healthz: change.healthz ?? answer.healthz,
});

/**
 * The service of one key with the faults that are set at the time of each call. A call that faults do not touch is
 * answered at once, without a promise.
 * @param faults the faults of this plugin, of whatever key
 * @param nowMs milliseconds since 1970
 */
export const withFaults = (
  service: KmsService,
  keyNumber: number,
  faults: () => readonly Fault[],
  nowMs: () => number = Date.now,
): FaultyService => {
  let memory = freshMemory;
  const call = <Answer>(
    method: FaultMethod,
    answer: () => Answer,
    bend: (answer: Answer, change: AnswerChange) => Answer,
  ): Answer | Promise<Answer> => {
    const active = faults();
    if (active.length === 0) return answer();
    const { decision, memory: next } = decide(active, { keyNumber, method, nowMs: nowMs() }, memory);
    memory = next;
    const { delayMs, outcome } = decision;
    const end = (): Answer | Promise<Answer> => {
      if (outcome === 'hang') return new Promise(() => {});
      if ('code' in outcome) throw new StatusError(outcome.code, outcome.message);
      return bend(answer(), outcome);
    };
    // A plugin that is told to end does not wait for answers that are due in hours.
    return delayMs === 0 ? end() : sleep(delayMs, undefined, { ref: false }).then(end);
  };
  return {
    status: () => call('status', service.status, bentStatus),
    encrypt: (request) => call('encrypt', () => service.encrypt(request), withKeyId),
    decrypt: (request) =>
      call(
        'decrypt',
        () => service.decrypt({ ...request, keyId: keyBehind(request.keyId) }),
        (answer) => answer,
      ),
  };
};
