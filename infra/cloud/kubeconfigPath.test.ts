import { afterEach, expect, test, vi } from 'vitest';
import { kubeconfigPath } from './kubeconfigPath.ts';

afterEach(() => vi.unstubAllEnvs());

test('the setting wins over KUBECONFIG, whose path is made absolute', () => {
  vi.stubEnv('KUBECONFIG', 'auth/kubeconfig');
  expect(kubeconfigPath({ kubeconfig: '/a' })).toBe('/a');
  expect(kubeconfigPath({})).toBe(`${process.cwd()}/auth/kubeconfig`);
});

test.each([
  ['', /KUBECONFIG is not set/],
  ['/a:/b', /KUBECONFIG names 2 files/],
])("KUBECONFIG '%s' is refused", (value, message) => {
  vi.stubEnv('KUBECONFIG', value);
  expect(() => kubeconfigPath({})).toThrow(message);
});
