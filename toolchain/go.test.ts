import { describe, expect, test } from 'vitest';
import { type Go, goEnvironment, goVersionIn, planGo } from './go.ts';

const go = (path: string, version: string): Go => ({ path, version, cache: '/c', modules: '/m' });
const old = go('/usr/bin/go', '1.19.8');
const upgrading = go('/opt/go/bin/go', '1.24.4');
const right = go('/usr/local/go/bin/go', '1.26.8');

describe('planGo for Go 1.26.0', () => {
  test('the first that is new enough, and no download of another', () => {
    expect(planGo([old, upgrading, right], '1.26.0')).toEqual({ kind: 'use', go: right, toolchain: 'local' });
  });
  test('else one that can fetch the newer toolchain by itself', () => {
    expect(planGo([old, upgrading], '1.26.0')).toEqual({ kind: 'use', go: upgrading, toolchain: 'auto' });
  });
  test('a Go before 1.21 cannot', () => {
    expect(planGo([old], '1.26.0')).toEqual({
      kind: 'none',
      why: '/usr/bin/go is Go 1.19.8, too old for Go 1.26.0',
    });
  });
  test('none at all', () => {
    expect(planGo([], '1.26.0')).toEqual({ kind: 'none', why: 'no Go found' });
  });
});

test('the version that a go.mod asks for', () => {
  expect(goVersionIn('module understudy.invalid/x\n\ngo 1.26.0\n\ntool example.com/go 9\n')).toBe('1.26.0');
});

test("the user's workspace, flags and target do not reach a build; proxies and caches do", () => {
  const user = {
    GOFLAGS: '-mod=vendor',
    GOWORK: '/home/me/go.work',
    GOOS: 'darwin',
    GOPROXY: 'https://p',
    GOCACHE: '/c',
  };
  const plan = { kind: 'use', go: right, toolchain: 'local' } as const;
  expect(goEnvironment(user, plan, 'arm64', true, '/t')).toMatchObject({
    GOFLAGS: '',
    GOWORK: 'off',
    GOOS: 'linux',
    GOARCH: 'arm64',
    CGO_ENABLED: '1',
    GOTMPDIR: '/t',
    GOTOOLCHAIN: 'local',
    GOPROXY: 'https://p',
    GOCACHE: '/c',
  });
});
