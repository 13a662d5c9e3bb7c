import { type ConditionWish, isTrue } from '../conditions.ts';
import type { KeyState, ResourceState } from '../keyState.ts';
import { unmigrated } from '../keyState.ts';
import { encryptedResources } from '../names.ts';
import type { Settled, Situation } from '../situation.ts';
import type { Controller } from './controller.ts';

const type = 'Encrypted';

const notEncrypted = (reason: string, message: string): ConditionWish => ({ type, status: 'False', reason, message });

const decryption = (writeKey: KeyState): ConditionWish =>
  unmigrated(encryptedResources, writeKey).length === 0
    ? notEncrypted('DecryptionCompleted', 'Encryption mode set to identity and everything is decrypted')
    : notEncrypted('DecryptionInProgress', 'Encryption mode set to identity and decryption is not finished');

const isIdentity = (key: KeyState | undefined): key is KeyState & { readonly mode: 'identity' } =>
  key?.mode === 'identity';

/** What still keeps a resource from being encrypted; undefined for nothing. */
const lacking = (resource: string, keys: ResourceState | undefined): ConditionWish | undefined => {
  if (keys === undefined) return notEncrypted('EncryptionInProgress', `Resource ${resource} is not encrypted`);
  if (isIdentity(keys.writeKey)) return decryption(keys.writeKey);
  // The newest key that all is migrated to, unless everything is still plain: an identity key before it.
  const decisive = keys.readKeys.find((key) => isIdentity(key) || key.migrated.resources.includes(resource));
  if (isIdentity(decisive)) return notEncrypted('EncryptionInProgress', 'Encryption is ongoing');
  if (decisive !== undefined) return undefined;
  return notEncrypted('EncryptionInProgress', `Resource ${resource} is being encrypted`);
};

const verdict = ({ current, desired }: Settled, { observation }: Situation): ConditionWish => {
  if (observation.keySecrets.length === 0) return notEncrypted('EncryptionDisabled', 'Encryption is not enabled');
  // What is coming is told before it is deployed.
  const coming = [...desired.values()].map(({ writeKey }) => writeKey).find(isIdentity);
  if (coming !== undefined) return decryption(coming);
  const lack = encryptedResources
    .map((resource) => lacking(resource, current.get(resource)))
    .find((one) => one !== undefined);
  return lack ?? isTrue(type, 'EncryptionCompleted', `All resources encrypted: ${encryptedResources.join(', ')}`);
};

/**
 * Condition Encrypted. While API servers have not converged, what was said last stays.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/condition_controller.go
 */
export const conditionController: Controller = {
  name: 'EncryptionCondition',
  resting: [{ type, status: 'False' }],
  failed: () => undefined,
  decide: (situation) => ({
    actions: [],
    conditions: situation.settled && [verdict(situation.settled, situation)],
  }),
};
