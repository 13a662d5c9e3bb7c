import { expect, test } from 'vitest';
import { digestFor } from './checksums.ts';

const one = '1'.repeat(64);
const two = 'a'.repeat(64);

test('a digest alone, as dl.k8s.io publishes it', () => {
  expect(digestFor(`${one}\n`, 'kubectl')).toBe(one);
});

test('lines of several files, binary marks, folders, upper case', () => {
  const sums = `${one}  etcd-v3.7.3-linux-arm64.tar.gz\n${two.toUpperCase()} *./release/etcd-v3.7.3-linux-amd64.tar.gz\n`;
  expect(digestFor(sums, 'etcd-v3.7.3-linux-amd64.tar.gz')).toBe(two);
  expect(digestFor(sums, 'etcd-v3.7.3-linux-arm64.tar.gz')).toBe(one);
});

test('a signed list, as runc publishes it', () => {
  const sums = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${one}  runc.amd64\n-----BEGIN PGP SIGNATURE-----\n`;
  expect(digestFor(sums, 'runc.amd64')).toBe(one);
});

test.each([
  ['another file', `${one}  runc.arm64\n`],
  ['a page of a proxy', '<html>sign in</html>'],
  ['nothing', ''],
  ['a digest cut short', one.slice(1)],
])('no digest in %s', (_what, sums) => {
  expect(digestFor(sums, 'runc.amd64')).toBeUndefined();
});
