import { keySecretName } from '../../operator/keySecret.ts';
import { annotations } from '../../operator/names.ts';
import { migrationMilestones, problemMilestones, problemOf } from './milestones.ts';
import type { BackendObject, EncryptionObjects } from './objects.ts';
import { type EncryptionStatus, encryptionStatus } from './state.ts';
import type { Look } from './wait.ts';

/** Numbers of the KMS keys that API servers use. */
export const rotatableKeys = ({ keys }: EncryptionStatus): readonly string[] =>
  keys.filter(({ mode, state }) => mode === 'KMS' && state !== 'unused').map(({ id }) => id);

interface ServedKey {
  readonly version: number;
  readonly keyID: string;
}

/** What the plugins serve as a key, by their nodes' own word. */
const servedKeys = (backend: BackendObject | undefined, key: string): readonly ServedKey[] =>
  Object.values(backend?.status.nodes ?? {}).flatMap(({ keys }) => keys[key] ?? []);

/** key_id of the newest version that any plugin serves as a key; undefined where none has said. */
export const newestKekID = (backend: BackendObject | undefined, key: string): string | undefined =>
  servedKeys(backend, key).reduce<ServedKey | undefined>(
    (newest, served) => (newest === undefined || served.version > newest.version ? served : newest),
    undefined,
  )?.keyID;

/** A look at whether a version of a key is served everywhere, and everything that is stored under that key is under it. */
export const lookAtRotation = (key: string, version: number, objects: EncryptionObjects): Look => {
  const { keySecrets, backend } = objects;
  const status = encryptionStatus(objects);
  const secret = keySecrets.find(({ metadata }) => metadata.name === keySecretName(key));
  const migrated = Number(secret?.metadata.annotations[annotations.migratedKeyVersion] ?? 1);
  const served = servedKeys(backend, key);
  const ready = served.filter((each) => each.version >= version).length;
  const isServed = served.length > 0 && ready === served.length;
  // Nothing is written under a key that is only read, and the operator writes nothing again for its sake.
  const isOnlyRead = status.writeKey !== null && status.writeKey !== key;
  return {
    done: isServed && (isOnlyRead || migrated >= version),
    told: [
      { text: `version ${version} of key ${key} served on ${ready} of ${served.length} nodes` },
      ...migrationMilestones(status),
      ...problemMilestones(objects),
    ],
    obstacle:
      problemOf(objects) ??
      (isServed
        ? `what is stored is under version ${migrated} of key ${key}, not ${version}`
        : `${ready} of ${served.length} nodes serve version ${version} of key ${key}`),
  };
};
