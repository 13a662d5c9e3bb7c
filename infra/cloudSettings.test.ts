import { expect, test } from 'vitest';
import { checkedSettings } from './settings.ts';

const issues = (settings: object): readonly string[] =>
  (
    checkedSettings.safeParse({ platform: 'aws', cloud: { registry: 'quay.io/me' }, ...settings }).error?.issues ?? []
  ).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('a registry is all that a stack on a cloud has to name', () => {
  const { cloud, encryption } = checkedSettings.parse({ platform: 'gcp', cloud: { registry: 'quay.io/me' } });
  expect([cloud, encryption]).toEqual([{ registry: 'quay.io/me', deployment: 'sidecar' }, 'KMS']);
});

test.each([
  '127.0.0.1:5000/understudy',
  'localhost/a',
  'quay.io/a/b-c/d__e',
  'registry:5000/a',
  '1.dkr.ecr.us-east-1.amazonaws.com/x',
])('%s is a registry', (registry) => {
  expect(issues({ cloud: { registry } })).toEqual([]);
});

test.each(['quay.io', 'me/understudy', 'https://quay.io/me', 'quay.io/Me', 'quay.io/me:tag', 'quay.io/me/', ''])(
  "'%s' is no registry",
  (registry) => {
    expect(issues({ cloud: { registry } })[0]).toMatch(/^cloud\.registry: it is no registry/);
  },
);

test.each([
  [{ cloud: {} }, /^cloud\.registry: it is missing/],
  [{ cloud: { registry: 'quay.io/me', deployment: 'daemonset' } }, /^encryption: .*sidecar/],
  [{ cloud: { registry: 'quay.io/me', deployment: 'pod' } }, /^cloud\.deployment: /],
  [{ cloud: { registry: 'quay.io/me', kubeconfig: 'kubeconfig' } }, /^cloud\.kubeconfig: it is no absolute path/],
  [{ workers: 2 }, /^workers: /],
  [{ controlPlanes: 3 }, /^controlPlanes: /],
  [{ hollowNodes: [{ name: 'a', count: 1 }] }, /^hollowNodes: /],
  [{ uids: 'random' }, /^uids: /],
])('%j is refused', (settings, message) => {
  expect(issues(settings)[0]).toMatch(message);
});
