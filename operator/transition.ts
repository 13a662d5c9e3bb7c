import { type EncryptionConfig, stateOf } from './encryptionConfig.ts';
import {
  type EncryptionState,
  isSameKey,
  type KeyState,
  keysStillNeeded,
  newestFirst,
  type ResourceState,
  unmigrated,
} from './keyState.ts';

export interface TransitionInputs {
  /** The configuration that every API server has loaded; undefined where there is none yet. */
  readonly config: EncryptionConfig | undefined;
  /** Keys of valid secrets, the newest first. */
  readonly keys: readonly KeyState[];
  readonly resources: readonly string[];
  /**
   * With a single API server a new key may be read and written from the same moment on: nobody else could meet a value that it
   * cannot read.
   */
  readonly alone: boolean;
}

const mapState = (state: EncryptionState, change: (keys: ResourceState) => ResourceState): EncryptionState =>
  new Map([...state].map(([resource, keys]) => [resource, change(keys)]));

const has = (keys: readonly KeyState[], wanted: KeyState): boolean => keys.some((key) => isSameKey(key, wanted));

const upTo = (keys: readonly KeyState[], last: KeyState | undefined): readonly KeyState[] => {
  const end = last === undefined ? -1 : keys.findIndex((key) => isSameKey(key, last));
  return end < 0 ? keys : keys.slice(0, end + 1);
};

/**
 * The state to go to next, one step ahead of what is deployed: every key that may still be needed is read; then the newest is
 * written; then, once all is migrated, older ones are no longer read.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/statemachine/transition.go
 */
export const nextState = ({ config, keys, resources, alone }: TransitionInputs): EncryptionState => {
  const deployed = stateOf(config, keys);
  const state: EncryptionState = new Map(
    resources.map((resource) => [resource, deployed.get(resource) ?? { writeKey: undefined, readKeys: [] }]),
  );
  const [newest] = keys;
  if (newest === undefined) return state;

  // Without a configuration the worst is assumed: that it was deleted, and any resource may be encrypted.
  const encrypted = config === undefined ? resources : resources.filter((resource) => deployed.has(resource));
  const needed = keysStillNeeded(encrypted, keys);
  const readable = mapState(state, ({ writeKey, readKeys }) => {
    const missing = needed.filter((key) => !has(readKeys, key));
    return { writeKey, readKeys: missing.length === 0 ? readKeys : newestFirst([...readKeys, ...missing]) };
  });
  const complete = resources.every((resource) => needed.every((key) => has(state.get(resource)?.readKeys ?? [], key)));
  const backed = [...readable.values()].every(({ readKeys }) => readKeys[0]?.backed === true);
  if (!backed || (!complete && !alone)) return readable;

  const written = [...readable.values()].every(({ writeKey }) => writeKey !== undefined && isSameKey(writeKey, newest));
  if (!written) return mapState(readable, ({ readKeys }) => ({ writeKey: newest, readKeys }));
  if (!complete || unmigrated(encrypted, newest).length > 0) return readable;

  return mapState(readable, ({ writeKey, readKeys }) => ({ writeKey, readKeys: upTo(readKeys, needed.at(-1)) }));
};
