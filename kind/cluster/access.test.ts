import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { asSuperAdmin, credentialsIn } from './access.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfigOf = (name: string, server: string): string => `
apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    certificate-authority-data: ${base64('authority')}
    server: ${server}
contexts:
- name: ${name}
  context: {cluster: ${name}, user: ${name}}
current-context: ${name}
users:
- name: ${name}
  user:
    client-certificate-data: ${base64(`certificate of ${name}`)}
    client-key-data: ${base64(`key of ${name}`)}
`;

const ofKind = kubeconfigOf('kind-us-kind', 'https://127.0.0.1:40123');
const superAdmin = kubeconfigOf('kubernetes-super-admin', 'https://us-kind-control-plane:6443');

test("the kubeconfig has kind's address and the super administrator's credentials, and all else as kind gave it", () => {
  const kubeconfig = asSuperAdmin(ofKind, superAdmin);
  expect(credentialsIn(kubeconfig)).toEqual({
    authority: 'authority',
    certificate: 'certificate of kubernetes-super-admin',
    key: 'key of kubernetes-super-admin',
  });
  const user = parse(superAdmin).users[0].user;
  expect(parse(kubeconfig)).toEqual({ ...parse(ofKind), users: [{ name: 'kind-us-kind', user }] });
});

test.each([
  ['no user', ofKind.replace(/users:[\s\S]*/, 'users: []')],
  ['a user with a token', ofKind.replace(/client-certificate-data[\s\S]*/, 'token: x\n')],
])('a file with %s is refused', (_what, file) => {
  expect(() => asSuperAdmin(ofKind, file)).toThrow(/users/);
});
