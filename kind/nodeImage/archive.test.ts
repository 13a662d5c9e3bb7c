import { expect, test } from 'vitest';
import { archiveManifest, nodeConfig } from './archive.ts';

test('an image config names its layer and starts systemd by the entrypoint of kind', () => {
  const config: unknown = JSON.parse(nodeConfig('ab12', 'arm64'));
  expect(config).toMatchObject({
    architecture: 'arm64',
    os: 'linux',
    config: { Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'], StopSignal: 'SIGRTMIN+3' },
    rootfs: { type: 'layers', diff_ids: ['sha256:ab12'] },
  });
});

test('an archive lists its image under the reference that settings name', () => {
  expect(JSON.parse(archiveManifest('c.json', 'understudy.local/kind-node:v1'))).toEqual([
    { Config: 'c.json', RepoTags: ['understudy.local/kind-node:v1'], Layers: ['layer.tar'] },
  ]);
});
