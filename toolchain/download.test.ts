import { expect, test } from 'vitest';
import { mirrored, parseMirror } from './download.ts';

test('a mirror has a folder for each host', () => {
  const url = 'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl';
  expect(mirrored(url, undefined)).toBe(url);
  expect(mirrored(url, 'https://mirror.example/pub/')).toBe(
    'https://mirror.example/pub/dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl',
  );
});

test.each(['http://127.0.0.1:80', 'https://mirror.example/pub/'])('%s is a mirror', (setting) => {
  expect(parseMirror(setting)).toBe(setting);
});

test.each([undefined, ''])('%j is none', (setting) => {
  expect(parseMirror(setting)).toBeUndefined();
});

test.each(['mirror.example', 'ftp://mirror.example', '/srv/mirror'])('%s cannot be one', (setting) => {
  expect(() => parseMirror(setting)).toThrow(/UNDERSTUDY_DOWNLOAD_MIRROR=.*next: .*https:/s);
});
