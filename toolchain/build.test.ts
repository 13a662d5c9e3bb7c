import { expect, test } from 'vitest';
import { noWayFailure } from './build.ts';

test('where there is no way, the message tells all that was tried and every way out', () => {
  const order = { wanted: 'etcd 3.7.3, kubectl 1.36.3', unavailable: 'github.com: ENOTFOUND' };
  const { message } = noWayFailure(order, 'no Go found', '1.26.0', 'arm64');
  expect(message).toContain('could not get etcd 3.7.3, kubectl 1.36.3');
  expect(message).toContain('download: github.com: ENOTFOUND; go build: no Go found');
  expect(message).toContain('curl -fsSL https://go.dev/dl/go1.26.0.linux-arm64.tar.gz | tar -xz -C /usr/local');
  expect(message).toContain('UNDERSTUDY_DOWNLOAD_MIRROR');
});
