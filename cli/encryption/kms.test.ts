import { describe, expect, it } from 'vitest';
import { UsageFailure } from '../../common/failure.ts';
import { checkVaultAddress, modePatch, nextKeyPath, providerPatch } from './kms.ts';
import { type ApiServerObject, apiServerObject } from './objects.ts';
import { testKms } from './testObjects.ts';

const apiServer = (encryption: object, kms?: string): ApiServerObject =>
  apiServerObject.parse({
    metadata: { name: 'cluster', annotations: kms === undefined ? {} : { 'understudy.dev/kms': kms } },
    spec: { encryption },
  });
const remembered = JSON.stringify(testKms);
/** What a patch keeps in the annotation. */
const keptBy = (patch: object): unknown =>
  JSON.parse(
    (patch as { metadata: { annotations: Record<string, string> } }).metadata.annotations['understudy.dev/kms'] ?? '',
  );
const specOf = (patch: object): unknown => (patch as { spec: unknown }).spec;

describe('the patch to a mode', () => {
  it('takes the kms block to KMS from the annotation', () => {
    expect(modePatch(apiServer({ type: 'aescbc' }, remembered), 'KMS')).toEqual({
      spec: { encryption: { type: 'KMS', kms: testKms } },
    });
  });

  it('leaves the block to the API server where nothing knows one', () => {
    expect(modePatch(apiServer({}), 'KMS')).toEqual({ spec: { encryption: { type: 'KMS' } } });
  });

  it.each(['aescbc', 'aesgcm', 'identity'] as const)('takes the block away for %s, and keeps it in mind', (mode) => {
    const patch = modePatch(apiServer({ type: 'KMS', kms: testKms }, '{"type":"Vault"}'), mode);
    expect(specOf(patch)).toEqual({ encryption: { type: mode, kms: null } });
    expect(keptBy(patch)).toEqual(testKms);
  });

  it('leaves the annotation as it is where it says the same', () => {
    const { type, vault } = testKms;
    const patch = modePatch(apiServer({ type: 'KMS', kms: testKms }, JSON.stringify({ vault, type })), 'aescbc');
    expect(patch).toEqual({ spec: { encryption: { type: 'aescbc', kms: null } } });
  });

  it('between other modes has nothing to keep', () => {
    expect(modePatch(apiServer({ type: 'aescbc' }, remembered), 'aesgcm')).toEqual({
      spec: { encryption: { type: 'aesgcm', kms: null } },
    });
  });

  it.each(['', '{', '[]', 'null', '"x"'])("says so where the annotation is '%s'", (annotation) => {
    expect(() => modePatch(apiServer({}, annotation), 'KMS')).toThrow(
      'understudy.dev/kms of APIServer/cluster is no JSON',
    );
    expect(modePatch(apiServer({}, annotation), 'aescbc')).toEqual({
      spec: { encryption: { type: 'aescbc', kms: null } },
    });
  });
});

describe('the next key path', () => {
  it.each([
    ['transit/keys/a', 'transit/keys/a-2'],
    ['transit/keys/a-2', 'transit/keys/a-3'],
    ['transit/keys/a-9', 'transit/keys/a-10'],
    ['transit/keys/a-b', 'transit/keys/a-b-2'],
    ['team-1/transit/keys/a', 'team-1/transit/keys/a-2'],
  ])('of %s is %s', (path, next) => {
    expect(nextKeyPath(path)).toBe(next);
  });
});

describe('the patch to another provider', () => {
  const kms = apiServer({ type: 'KMS', kms: testKms });
  const vaultOf = (patch: object): unknown =>
    (patch as { spec: { encryption: { kms: { vault: unknown } } } }).spec.encryption.kms.vault;

  it('goes to the next key, keeps all else, and keeps it in mind', () => {
    const next = { ...testKms, vault: { ...testKms.vault, vaultKeyPath: 'transit/keys/test-2' } };
    const patch = providerPatch(kms, {});
    expect(specOf(patch)).toEqual({ encryption: { type: 'KMS', kms: next } });
    expect(keptBy(patch)).toEqual(next);
  });

  it('goes to another address with the same key, or to another key, or both', () => {
    const vaultAddress = 'https://other.example.com';
    expect(vaultOf(providerPatch(kms, { vaultAddress }))).toEqual({ ...testKms.vault, vaultAddress });
    const vaultKeyPath = 'transit/keys/other';
    expect(vaultOf(providerPatch(kms, { keyPath: vaultKeyPath }))).toEqual({ ...testKms.vault, vaultKeyPath });
    expect(vaultOf(providerPatch(kms, { keyPath: vaultKeyPath, vaultAddress }))).toEqual({
      ...testKms.vault,
      vaultKeyPath,
      vaultAddress,
    });
  });

  it.each([{}, { type: 'aescbc' }, { type: 'identity' }])('is refused where KMS is not in use: %j', (encryption) => {
    expect(() => providerPatch(apiServer(encryption, remembered), {})).toThrow(UsageFailure);
    expect(() => providerPatch(apiServer(encryption, remembered), {})).toThrow('not KMS');
  });

  it('is refused where nothing would change', () => {
    const same = { vaultAddress: 'https://vault.example.com:8200', keyPath: 'transit/keys/test' };
    expect(() => providerPatch(kms, same)).toThrow('already');
  });

  it.each(['http://vault.example.com', 'vault.example.com', '', 'ftp://x', 'https://'])(
    "refuses the address '%s'",
    (address) => {
      expect(() => checkVaultAddress(address)).toThrow('is no https address');
      expect(() => checkVaultAddress(address)).toThrow(UsageFailure);
    },
  );

  it('takes an https address', () => {
    checkVaultAddress('https://vault.example.com:8200');
  });
});
