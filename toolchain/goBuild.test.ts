import { describe, expect, test } from 'vitest';
import { buildsAtOnce, explainGo, goBuildArguments } from './goBuild.ts';
import type { GoBuild } from './recipe.ts';

const plain: GoBuild = { kind: 'go', module: 'm', cgo: false, tags: [], variables: {}, packages: [] };

test('arguments of go build', () => {
  const build = { ...plain, tags: ['seccomp', 'x'], variables: { 'a/b.Version': 'v1', 'a/b.Major': '1' } };
  expect(goBuildArguments(build, ['example.com/a', 'example.com/b'], '/out/')).toEqual([
    'build',
    '-trimpath',
    '-gcflags=all=-dwarf=false',
    '-ldflags=-s -w -X a/b.Version=v1 -X a/b.Major=1',
    '-tags=seccomp,x',
    '-o',
    '/out/',
    'example.com/a',
    'example.com/b',
  ]);
  expect(goBuildArguments(plain, ['p'], 'o')).toContain('-ldflags=-s -w');
  expect(goBuildArguments(plain, ['p'], 'o').join()).not.toContain('-tags');
});

describe('what the output of Go means', () => {
  const go = { path: '/usr/bin/go', version: '1.24.4', cache: '/c', modules: '/m' };
  test.each([
    ['k8s.io/kubernetes/pkg: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed', 'memory'],
    ['go: download go1.26.0 for linux/amd64: toolchain not available', 'go.dev/dl'],
    ['go: go.mod requires go >= 1.26.0 (running go 1.24.4; GOTOOLCHAIN=local)', 'Go 1.26.0'],
    ['Get "https://proxy.golang.org/x": dial tcp: lookup proxy.golang.org: no such host', 'GOPROXY'],
    ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'GOPROXY'],
    ['undefined: thing', 'report it'],
  ])('%s', (output, next) => {
    expect(explainGo(`go: something\n${output}\n`, go, '1.26.0').next).toContain(next);
    expect(explainGo(output, go, '1.26.0').got).toContain(output);
  });
});

test('two builds at once where there is memory for two', () => {
  expect(buildsAtOnce(4e9)).toBe(1);
  expect(buildsAtOnce(16e9)).toBe(2);
});
