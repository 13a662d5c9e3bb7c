import { expect, test } from 'vitest';
import { compareVersions, versionIn } from './version.ts';

test.each([
  ['etcd Version: 3.7.3\nGit SHA: Not provided\nGo Version: go1.26.8\n', ['etcd Version:'], '3.7.3'],
  ['Kubernetes v1.36.3\n', ['Kubernetes'], '1.36.3'],
  ['Client Version: v1.36.3+k3s1\nKustomize Version: v5.8.0\n', ['Client Version:'], '1.36.3'],
  ['Kubernetes v1.36.3-rc.1\n', ['Kubernetes'], '1.36.3-rc.1'],
  ['containerd github.com/containerd/containerd/v2 v2.2.1 1c4457e', ['github.com/containerd/containerd/v2'], '2.2.1'],
  ['containerd github.com/containerd/containerd/v2 2.2.1+unknown', ['github.com/containerd/containerd/v2'], '2.2.1'],
  ['containerd github.com/containerd/containerd 1.6.20~ds1', ['github.com/containerd/containerd/v2'], undefined],
  ['containerd-shim-runc-v2:\n  Version:  2.2.1+unknown\n', ['containerd-shim-runc-v2:'], '2.2.1'],
  ['runc version 1.4.0\nspec: 1.3.0\nlibseccomp: 2.5.4\n', ['runc version', 'libseccomp'], '1.4.0'],
  ['runc version 1.4.0\nspec: 1.3.0\n', ['runc version', 'libseccomp'], undefined],
  ['CNI ptp plugin v1.9.0\nCNI protocol versions supported: 0.1.0\n', ['CNI ptp plugin'], '1.9.0'],
  ['bridge utility, 6.1.0\n', ['CNI bridge plugin'], undefined],
  ['v3.246.0\n', ['v'], '3.246.0'],
  ['', ['v'], undefined],
] as const)('the answer %j of a program that says %j tells %s', (answer, says, expected) => {
  expect(versionIn(answer, says)).toBe(expected);
});

test.each([
  ['1.26.0', '1.26.0', 0],
  ['1.26', '1.26.0', 0],
  ['1.9.7', '1.26.0', -1],
  ['1.26.8', '1.26.0', 1],
  ['1.27rc1', '1.26.0', 1],
])('%s beside %s: %i', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
