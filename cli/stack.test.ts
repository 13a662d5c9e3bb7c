import { describe, expect, it } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { loadStack, parseStackFile } from './stack.ts';

const parse = (config: string) => parseStackFile(`config:\n${config}`, 'Pulumi.x.yaml').settings;

describe('parseStackFile', () => {
  it('reads settings, fills in the others, and leaves other namespaces alone', () => {
    expect(parse('  understudy:platform: local\n  understudy:workers: 2\n  aws:region: x\n')).toEqual({
      platform: 'local',
      controlPlanes: 1,
      workers: 2,
      egress: false,
      encryption: 'KMS',
      openshift: true,
      healthInterval: '30s',
      hollowNodes: [],
      placement: 'policy',
      uids: 'off',
      kind: { mounts: [], ports: [] },
      cloud: { deployment: 'sidecar' },
    });
  });

  it.each([
    [
      'an unknown setting',
      '  understudy:platform: local\n  understudy:worker: 1',
      /no setting understudy:worker \(there are: platform/,
    ],
    [
      'a wrong type',
      '  understudy:platform: local\n  understudy:workers: many',
      /understudy:workers: .*expected number/,
    ],
    ['a wrong number', '  understudy:platform: local\n  understudy:controlPlanes: 2', /understudy:controlPlanes: /],
    ['too many', '  understudy:platform: local\n  understudy:workers: 1000', /understudy:workers: .*40/],
    ['an unknown platform', '  understudy:platform: moon', /understudy:platform: /],
    ['a missing platform', '  understudy:workers: 1', /understudy:platform: /],
    [
      'a health interval that is none',
      '  understudy:platform: local\n  understudy:healthInterval: soon',
      /healthInterval: .*1s to 1h/,
    ],
    [
      'one that is too short',
      '  understudy:platform: local\n  understudy:healthInterval: 100ms',
      /healthInterval: .*1s to 1h/,
    ],
    [
      'a group of hollow nodes that is wrong',
      '  understudy:platform: local\n  understudy:hollowNodes: [{ name: a, count: 0 }]',
      /understudy:hollowNodes.0.count: it must be 1 at least/,
    ],
    [
      'more hollow nodes than the real ones hold',
      '  understudy:platform: local\n  understudy:hollowNodes: [{ name: a, count: 300 }]',
      /understudy:hollowNodes: its kubemark groups have 300 nodes.*add 2 to workers/,
    ],
    [
      'registry credentials in plain text',
      `  understudy:platform: local\n  understudy:registryCredentials: '{"auths": {}}'`,
      /registryCredentials: it is no secret; .*'understudy secret set registryCredentials/,
    ],
    ['broken YAML', '  understudy:platform: [local', /could not read the settings in Pulumi.x.yaml/],
  ])('refuses %s', (_what, config, message) => {
    expect(() => parse(config)).toThrow(message);
    expect(() => parse(config)).toThrow(UsageFailure);
  });

  it('refuses a file that is no mapping', () => {
    expect(() => parseStackFile('- a\n', 'Pulumi.x.yaml')).toThrow(UsageFailure);
  });
});

describe('loadStack', () => {
  it('names the stacks that there are', async () => {
    await expect(loadStack('lcoal')).rejects.toThrow(/no Pulumi.lcoal.yaml; it has: .*\blocal/);
  });
});
