import { describe, expect, it } from 'vitest';
import { renderEncryptionConfiguration, stageOf, stagesAfter } from './encryptionConfiguration.ts';

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
