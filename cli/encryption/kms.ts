import { isDeepStrictEqual } from 'node:util';
import { Failure, UsageFailure } from '../../common/failure.ts';
import { type ApiServerObject, type KmsBlock, kmsAnnotation } from './objects.ts';
import type { EncryptionMode } from './state.ts';

/** What the annotation says; undefined where it is none, or no JSON object. */
export const rememberedKms = ({ metadata }: ApiServerObject): KmsBlock | undefined => {
  try {
    const block: unknown = JSON.parse(metadata.annotations[kmsAnnotation] ?? '');
    return typeof block === 'object' && block !== null && !Array.isArray(block) ? (block as KmsBlock) : undefined;
  } catch {
    return undefined;
  }
};

/** The part of a merge patch that keeps a block in mind, where it is not kept yet. */
const remember = (apiServer: ApiServerObject, kms: KmsBlock): object =>
  isDeepStrictEqual(rememberedKms(apiServer), kms)
    ? {}
    : { metadata: { annotations: { [kmsAnnotation]: JSON.stringify(kms) } } };

/** The merge patch to KMS; where no block is known, the API server is left to fill it in or to refuse. */
const kmsPatch = (apiServer: ApiServerObject): object => {
  const kms = rememberedKms(apiServer);
  if (kms === undefined && kmsAnnotation in apiServer.metadata.annotations) {
    throw new Failure({
      tried: 'find the KMS to encrypt with',
      got: `annotation ${kmsAnnotation} of APIServer/cluster is no JSON object`,
      next: "mend it, or remove it and run 'understudy up'",
    });
  }
  return { spec: { encryption: { type: 'KMS', ...(kms && { kms }) } } };
};

/** The merge patch that asks for a mode. A `kms` block is forbidden beside others than KMS, and moves to an annotation. */
export const modePatch = (apiServer: ApiServerObject, mode: EncryptionMode): object => {
  if (mode === 'KMS') return kmsPatch(apiServer);
  const { kms } = apiServer.spec.encryption;
  return { ...(kms && remember(apiServer, kms)), spec: { encryption: { type: mode, kms: null } } };
};

/**
 * The merge patch that keeps the configuration that the program declares. Where there is one already only the image is
 * taken over, since whoever has moved on to another address or key is not to be moved back.
 */
export const configurationPatch = (apiServer: ApiServerObject, declared: KmsBlock): object => {
  const { type, kms } = apiServer.spec.encryption;
  const known = kms ?? rememberedKms(apiServer);
  const next =
    known === undefined
      ? declared
      : { ...known, vault: { ...known.vault, kmsPluginImage: declared.vault?.kmsPluginImage } };
  return { ...remember(apiServer, next), ...(type === 'KMS' && { spec: { encryption: { type, kms: next } } }) };
};

/** The merge patch that takes back what {@link configurationPatch} left. */
export const forgettingPatch: object = { metadata: { annotations: { [kmsAnnotation]: null } } };

/** `transit/keys/a` → `transit/keys/a-2` → `transit/keys/a-3`. */
export const nextKeyPath = (path: string): string => {
  const [, name = path, number] = /^(.*)-(\d+)$/.exec(path) ?? [];
  return number === undefined ? `${path}-2` : `${name}-${BigInt(number) + 1n}`;
};

export interface ProviderChange {
  readonly vaultAddress?: string;
  readonly keyPath?: string;
}

const tried = 'migrate to another KMS provider';

/** @throws UsageFailure where an address is none that OpenShift takes */
export const checkVaultAddress = (address: string): void => {
  if (URL.canParse(address) && new URL(address).protocol === 'https:') return;
  throw new UsageFailure({
    tried,
    got: `--vault-address '${address}' is no https address`,
    next: "name one as 'https://vault.example.com:8200'",
  });
};

/**
 * The merge patch that asks for the same KMS at another address or key.
 * @throws UsageFailure where KMS is not in use, or it is the same already
 */
export const providerPatch = (apiServer: ApiServerObject, change: ProviderChange): object => {
  const { type, kms } = apiServer.spec.encryption;
  const vault = kms?.vault;
  if (type !== 'KMS' || kms === undefined || vault?.vaultKeyPath === undefined) {
    throw new UsageFailure({
      tried,
      got: `encryption is ${type || 'identity'}, not KMS`,
      next: "run 'understudy encrypt KMS' first",
    });
  }
  const isBare = change.vaultAddress === undefined && change.keyPath === undefined;
  const wanted = {
    ...vault,
    ...(change.vaultAddress !== undefined && { vaultAddress: change.vaultAddress }),
    vaultKeyPath: change.keyPath ?? (isBare ? nextKeyPath(vault.vaultKeyPath) : vault.vaultKeyPath),
  };
  if (wanted.vaultKeyPath === vault.vaultKeyPath && wanted.vaultAddress === vault.vaultAddress) {
    throw new UsageFailure({
      tried,
      got: `the provider is at ${String(vault.vaultAddress)}, key ${vault.vaultKeyPath}, already`,
      next: 'name another address or key path, or none for the next key',
    });
  }
  const next = { ...kms, vault: wanted };
  return { ...remember(apiServer, next), spec: { encryption: { type: 'KMS', kms: next } } };
};
