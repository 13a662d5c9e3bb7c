import { expect, test } from 'vitest';
import { checkedSettings } from './settings.ts';

const issues = (settings: object): readonly string[] =>
  (checkedSettings.safeParse({ platform: 'kind', ...settings }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test('a kind stack needs no more than its platform', () => {
  expect(checkedSettings.parse({ platform: 'kind' }).kind).toEqual({ mounts: [], ports: [] });
});

test('a kind stack may have three control planes and registry credentials, as a local one', () => {
  expect(issues({ controlPlanes: 3, registryCredentials: { secure: 'v1:x' } })).toEqual([]);
});

test('ports are of this machine alone unless told', () => {
  const { kind } = checkedSettings.parse({
    platform: 'kind',
    kind: { ports: [{ containerPort: 80, hostPort: 8080 }] },
  });
  expect(kind.ports).toEqual([{ containerPort: 80, hostPort: 8080, listenAddress: '127.0.0.1', protocol: 'TCP' }]);
});

test.each([
  [{ kind: { engine: 'lxc' } }, /^kind\.engine: /],
  [
    { kind: { mounts: [{ hostPath: 'srv', containerPath: '/data' }] } },
    /^kind\.mounts\.0\.hostPath: it is no absolute path/,
  ],
  [{ kind: { ports: [{ containerPort: 0, hostPort: 8080 }] } }, /^kind\.ports\.0\.containerPort: /],
])('%j is refused', (settings, message) => {
  expect(issues(settings)[0]).toMatch(message);
});
