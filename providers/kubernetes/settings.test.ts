import { afterEach, expect, test, vi } from 'vitest';
import { type PropertyMap, Secret, unknown } from '../protocol/values.ts';
import { checkSettings, diffSettings, settingsFrom } from './settings.ts';

afterEach(() => vi.unstubAllEnvs());

const kubeconfig = (server: string, user = 'token'): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: user } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

test('settings that work here pass, and off is as good as absent', () => {
  const inputs = {
    kubeconfig: 'a',
    enableServerSideApply: 'true',
    renderYamlToDirectory: '',
    skipUpdateUnreachable: 'false',
  };
  expect(checkSettings(inputs)).toEqual({ inputs, failures: [] });
});

test.each([
  ['renderYamlToDirectory', 'out'],
  ['kubeClientSettings', '{"qps":5}'],
  ['enablePatchForce', 'true'],
  ['enableServerSideApply', 'false'],
])('%s = %s is refused by name', (property, value) => {
  const { failures } = checkSettings({ [property]: value });
  expect(failures).toMatchObject([{ property }]);
});

test('booleans come as text, from the settings or the environment', () => {
  expect(settingsFrom({ enableSecretMutable: 'true' }).enableSecretMutable).toBe(true);
  vi.stubEnv('PULUMI_K8S_DELETE_UNREACHABLE', 'true');
  expect(settingsFrom({})).toMatchObject({ deleteUnreachable: true, enableSecretMutable: false });
  expect(settingsFrom({ deleteUnreachable: 'false' }).deleteUnreachable).toBe(false);
});

test('a secret kubeconfig, or one as an object, is understood', () => {
  expect(settingsFrom({ kubeconfig: new Secret('text') }).kubeconfig).toBe('text');
  expect(settingsFrom({ kubeconfig: { a: 1 } }).kubeconfig).toBe('{"a":1}');
});

const replaced = (before: PropertyMap, after: PropertyMap): Record<string, boolean> =>
  Object.fromEntries([...diffSettings(before, after).changes].map(([key, { replaces }]) => [key, replaces]));

const one = kubeconfig('https://one:6443');

test.each<[string, PropertyMap, PropertyMap, Record<string, boolean>]>([
  ['nothing new', { kubeconfig: one }, { kubeconfig: one }, {}],
  [
    'another user of the same cluster',
    { kubeconfig: one },
    { kubeconfig: kubeconfig('https://one:6443', 'x') },
    { kubeconfig: false },
  ],
  ['another cluster', { kubeconfig: one }, { kubeconfig: kubeconfig('https://two:6443') }, { kubeconfig: true }],
  ['a kubeconfig that is not known yet', { kubeconfig: one }, { kubeconfig: unknown }, { kubeconfig: true }],
  [
    'another server of what is said to be the same cluster',
    { kubeconfig: one, clusterIdentifier: 'a' },
    { kubeconfig: kubeconfig('https://two:6443'), clusterIdentifier: 'a' },
    { kubeconfig: false },
  ],
  ['another identifier', { clusterIdentifier: 'a' }, { clusterIdentifier: 'b' }, { clusterIdentifier: true }],
  [
    'a first identifier',
    { kubeconfig: one },
    { kubeconfig: one, clusterIdentifier: 'a' },
    { clusterIdentifier: false },
  ],
  ['another namespace', { kubeconfig: one }, { kubeconfig: one, namespace: 'b' }, { namespace: false }],
])('%s', (_name, before, after, expected) => {
  expect(replaced(before, after)).toEqual(expected);
});
