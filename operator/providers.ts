import type { Provider } from './encryptionConfiguration.ts';
import { emptyStaticKey, isSameKey, type KeyState, type Mode, type ResourceState } from './keyState.ts';

const identity: Provider = { identity: {} };

/** Providers are named once in a whole file, so a KMS provider's name has its resource too. */
export const kmsProviderName = (keyName: string, resource: string): string =>
  `${keyName}_${resource.split('.', 1)[0] ?? resource}`;

const keyNameOf = (kmsProvider: string): string | undefined => {
  const separator = kmsProvider.indexOf('_');
  return separator < 0 ? undefined : kmsProvider.slice(0, separator);
};

const ofKey = (key: KeyState, resource: string): readonly Provider[] => {
  const keys = { keys: [{ name: key.name, secret: key.secret }] };
  switch (key.mode) {
    case 'aescbc':
      return [{ aescbc: keys }];
    case 'aesgcm':
      return [{ aesgcm: keys }];
    case 'secretbox':
      return [{ secretbox: keys }];
    case 'KMS':
      return key.kms === undefined
        ? []
        : [{ kms: { ...key.kms.encryption, name: kmsProviderName(key.name, resource) } }];
    case 'identity':
      return [];
  }
};

/**
 * The write key first, then the read keys, identity last. Without write key, or with an identity key in the first place, identity comes
 * first; where both are so, twice, as OpenShift writes it. Identity keys are carried as AES-GCM providers of an empty key at the very
 * end, so that their numbers are not lost.
 */
export const providersOf = (resource: string, { writeKey, readKeys }: ResourceState): readonly Provider[] => {
  const keys = writeKey === undefined ? readKeys : [writeKey, ...without(readKeys, writeKey)];
  const plain = [...(writeKey === undefined ? [identity] : []), ...(keys[0]?.mode === 'identity' ? [identity] : [])];
  const encrypting = keys.flatMap((key) => ofKey(key, resource));
  const carriers = keys
    .filter((key) => key.mode === 'identity')
    .map((key) => ({ aesgcm: { keys: [{ name: key.name, secret: key.secret }] } }));
  return [...plain, ...encrypting, ...(plain.length === 0 ? [identity] : []), ...carriers];
};

const without = (keys: readonly KeyState[], one: KeyState): readonly KeyState[] => {
  const at = keys.findIndex((key) => isSameKey(key, one));
  return at < 0 ? keys : keys.toSpliced(at, 1);
};

const keyOf = (
  mode: Mode,
  keys: readonly { readonly name: string; readonly secret: string }[],
): KeyState | undefined => {
  const [key, ...others] = keys;
  if (key === undefined || others.length > 0) return undefined;
  return { ...key, mode, ...unknownOrigin };
};

const unknownOrigin = {
  backed: false,
  internalReason: '',
  externalReason: '',
  migrated: { timestamp: undefined, resources: [] },
  kms: undefined,
} as const;

/** The key of a provider as far as the provider tells; undefined for identity and for what {@link providersOf} never makes. */
export const keyOfProvider = (provider: Provider): KeyState | undefined => {
  if (provider.aescbc) return keyOf('aescbc', provider.aescbc.keys);
  if (provider.secretbox) return keyOf('secretbox', provider.secretbox.keys);
  if (provider.identity) return undefined;
  if (provider.aesgcm) {
    const key = keyOf('aesgcm', provider.aesgcm.keys);
    return key?.secret === emptyStaticKey ? { ...key, mode: 'identity' } : key;
  }
  if (provider.kms === undefined) return undefined;
  const name = keyNameOf(provider.kms.name);
  if (name === undefined) return undefined;
  // Beyond OpenShift's controllers, which drop the provider of a KMS key whose secret is gone, and with it all that it encrypted.
  const kms = { encryption: { ...provider.kms, name }, plugin: undefined, secretData: {}, configMapData: {} };
  return { name, secret: emptyStaticKey, mode: 'KMS', ...unknownOrigin, kms };
};
