import type { PluginHealth } from '../common/kmsHealth.ts';
import type { KmsResult } from '../protos/kms/v2/client.ts';
import type { StatusResponse } from '../protos/kms/v2/messages.ts';
import { detailOf } from './detail.ts';

const longestKeyID = 1_024;

/** What kube-apiserver takes for a key_id. */
const keyIDProblem = (keyID: string): string | undefined => {
  const bytes = Buffer.byteLength(keyID);
  if (bytes === 0) return 'key_id is empty';
  return bytes > longestKeyID ? `key_id has ${bytes} bytes, kube-apiserver takes ${longestKeyID}` : undefined;
};

/**
 * Why kube-apiserver would not use a plugin that answers so.
 * @see kubernetes `apiserver/pkg/storage/value/encrypt/envelope/kmsv2`, validateKeyID and the check of version and healthz
 */
const problemsOf = ({ version, healthz, keyId }: StatusResponse): readonly string[] =>
  [
    healthz === 'ok' ? undefined : healthz === '' ? 'healthz is empty' : healthz,
    version === 'v2' || version === 'v2beta1' ? undefined : `version is '${version}', not v2`,
    keyIDProblem(keyId),
  ].filter((problem) => problem !== undefined);

/** What the answer to Status says of a plugin. A failed call is a finding as well. */
export const judge = (keyID: string, result: KmsResult<StatusResponse>, lastChecked: string): PluginHealth => {
  if (!result.ok) {
    const { code, details } = result.error;
    return { keyID, status: 'error', lastChecked, detail: detailOf(`${code}: ${details}`) };
  }
  const { keyId } = result.response;
  const kekID = keyIDProblem(keyId) === undefined ? { kekID: keyId } : {};
  const problems = problemsOf(result.response);
  if (problems.length === 0) return { keyID, ...kekID, status: 'healthy', lastChecked };
  return { keyID, ...kekID, status: 'unhealthy', lastChecked, detail: detailOf(problems.join('; ')) };
};
