import { describe, expect, it } from 'vitest';
import { renderEncryptionConfiguration, stageOf, stagesAfter } from './encryptionConfiguration.ts';
import { keysAt } from './status.ts';

describe('the key of the encryption configuration', () => {
  it('is none before all API servers know it', () => {
    expect(keysAt(['identity', 'readable'], false)).toEqual({ writeKey: null, keys: [] });
  });

  it('is read until all API servers write it', () => {
    const read = { id: '1', mode: 'KMS', state: 'read', migrated: false };
    expect(keysAt(['readable', 'written', 'written'], false)).toEqual({ writeKey: null, keys: [read] });
  });

  it('is the write key then', () => {
    const write = { id: '1', mode: 'KMS', state: 'write', migrated: true };
    expect(keysAt(['written'], true)).toEqual({ writeKey: '1', keys: [write] });
  });
});

describe('the stages of encryption', () => {
  it.each(['identity', 'readable', 'written'] as const)('are told by their files: %s', (stage) => {
    expect(stageOf(renderEncryptionConfiguration(stage, '10s'))).toBe(stage);
  });

  it('pass over the middle one for a single API server', () => {
    expect(stagesAfter('identity', 1)).toEqual(['written']);
    expect(stagesAfter('identity', 3)).toEqual(['readable', 'written']);
    expect(stagesAfter('written', 3)).toEqual([]);
  });
});
