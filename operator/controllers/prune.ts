import type { Action } from '../action.ts';
import { degraded, degradedType, isFalse } from '../conditions.ts';
import { isInvalid, parseKeySecret } from '../keySecret.ts';
import { isSameKey, type KeyState, keyNumberOf } from '../keyState.ts';
import { deletionProtection } from '../names.ts';
import type { Secret } from '../observation.ts';
import type { Controller } from './controller.ts';

const name = 'EncryptionPrune';

/** How many unused keys are kept, for old backups. */
const keptKeys = 10;

const isUsed = (secret: Secret, used: readonly KeyState[]): boolean => {
  const key = parseKeySecret(secret);
  return !isInvalid(key) && used.some((one) => isSameKey(one, key));
};

const withoutProtection = (secret: Secret): Secret => ({
  ...secret,
  metadata: {
    ...secret.metadata,
    finalizers: (secret.metadata.finalizers ?? []).filter((finalizer) => finalizer !== deletionProtection),
  },
});

/** Two phases: the finalizer goes, then the secret. */
const removal = (secret: Secret): readonly Action[] => [
  ...(secret.metadata.finalizers?.includes(deletionProtection) === true
    ? [{ controller: name, kind: 'updateKeySecret', secret: withoutProtection(secret) } as const]
    : []),
  { controller: name, kind: 'deleteKeySecret', name: secret.metadata.name },
];

/**
 * Deletes the oldest keys that no configuration has any more.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/prune_controller.go
 */
export const pruneController: Controller = {
  name,
  resting: [isFalse(degradedType(name))],
  failed: (message) => [degraded(name, message)],
  decide: ({ observation, settled }) => {
    const conditions = [isFalse(degradedType(name))];
    if (settled === undefined) return { actions: [], conditions };
    const used = [...settled.current.values(), ...settled.desired.values()].flatMap(({ readKeys }) => readKeys);
    const unused = observation.keySecrets
      .toSorted((one, other) => (keyNumberOf(other.metadata.name) ?? 0) - (keyNumberOf(one.metadata.name) ?? 0))
      .filter((secret) => !isUsed(secret, used));
    const pruned = unused.slice(keptKeys);
    if (pruned.length === 0) return { actions: [], conditions };
    const message = `Successfully pruned ${pruned.length} secrets`;
    const told: Action = {
      controller: name,
      kind: 'tell',
      events: [{ type: 'Normal', reason: 'EncryptionKeysPruned', message }],
    };
    return { actions: [...pruned.flatMap(removal), told], conditions };
  },
};
