import { expect, test } from 'vitest';
import { mirrored } from './download.ts';

test('a mirror has a folder for each host', () => {
  const url = 'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl';
  expect(mirrored(url, undefined)).toBe(url);
  expect(mirrored(url, 'https://mirror.example/pub/')).toBe(
    'https://mirror.example/pub/dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl',
  );
});
