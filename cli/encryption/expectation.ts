import type { Expectation, Expectations } from '../../cluster/verify.ts';
import { encryptedResources } from '../../operator/names.ts';
import type { EncryptionObjects } from './objects.ts';
import { newestKekID } from './rotation.ts';
import { type EncryptionMode, type EncryptionStatus, encryptionStatus, type KeyStatus } from './state.ts';

/** What kube-apiserver puts before a value, by the provider's kind. */
const prefixOf = (mode: Exclude<EncryptionMode, 'identity'>, key: string, resource: string): string =>
  mode === 'KMS' ? `k8s:enc:kms:v2:${key}_${resource}:` : `k8s:enc:${mode}:v1:${key}:`;

/** The write key, where it is of the mode that is asked for. */
export const keyInForce = ({ type, writeKey, keys }: EncryptionStatus): KeyStatus | undefined =>
  keys.find(({ id, mode }) => id === writeKey && mode === type);

/**
 * How everything should be stored by what the objects say: as plain text in mode identity, else under the write key, and for KMS
 * under the newest key-encryption key that the plugins tell of.
 */
export const expectationsOf = (objects: EncryptionObjects): Expectations => {
  const status = encryptionStatus(objects);
  const { type } = status;
  const key = keyInForce(status);
  const expectation = (resource: string): Expectation => {
    if (type === 'identity') return 'plaintext';
    if (type === null || key === undefined) return 'key to come';
    const kekID = type === 'KMS' ? newestKekID(objects.backend, key.id) : undefined;
    return { prefix: prefixOf(type, key.id, resource), kekID };
  };
  return Object.fromEntries(encryptedResources.map((resource) => [resource, expectation(resource)]));
};
