import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { activeCluster, connectionFrom, loadKubeconfig } from './kubeconfig.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const file = (name: string, content: string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

const config = (more: { server?: string; user?: object; cluster?: object; context?: object } = {}): string =>
  JSON.stringify({
    clusters: [
      { name: 'one', cluster: { server: more.server ?? 'https://one:6443', ...more.cluster } },
      { name: 'two', cluster: { server: 'https://two:6443' } },
    ],
    users: [{ name: 'me', user: more.user ?? { token: 'abc' } }],
    contexts: [
      { name: 'first', context: { cluster: 'one', user: 'me', ...more.context } },
      { name: 'second', context: { cluster: 'two', user: 'me', namespace: 'team' } },
    ],
    'current-context': 'first',
  });

test('the setting may be the content or a path', async () => {
  for (const setting of [config(), file('config', config())]) {
    const connection = await connectionFrom(loadKubeconfig(setting), {});
    expect(connection).toMatchObject({ server: 'https://one:6443', namespace: 'default' });
    expect((await connection.credentials()).headers).toEqual({ authorization: 'Bearer abc' });
  }
});

test('context, cluster and namespace of the settings win', async () => {
  const loaded = loadKubeconfig(config());
  expect(await connectionFrom(loaded, { context: 'second' })).toMatchObject({
    server: 'https://two:6443',
    namespace: 'team',
  });
  expect(await connectionFrom(loaded, { cluster: 'two', namespace: 'x' })).toMatchObject({
    server: 'https://two:6443',
    namespace: 'x',
  });
  expect(activeCluster(loaded, { cluster: 'two' })).toEqual({ server: 'https://two:6443' });
});

test('certificates come inline or from files beside the kubeconfig', async () => {
  file('client.crt', 'CRT');
  file('client.key', 'KEY');
  const path = file(
    'with-files',
    config({
      user: { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
      cluster: { 'certificate-authority-data': Buffer.from('CA').toString('base64'), 'tls-server-name': 'kubernetes' },
    }),
  );
  const { ca, cert, key, servername, rejectUnauthorized } = await (
    await connectionFrom(loadKubeconfig(path), {})
  ).credentials();
  expect([ca, cert, key].map(String)).toEqual(['CA', 'CRT', 'KEY']);
  expect({ servername, rejectUnauthorized }).toEqual({ servername: 'kubernetes', rejectUnauthorized: true });
});

test('without a setting KUBECONFIG is read, its files merged', async () => {
  const users = file('users', JSON.stringify({ users: [{ name: 'me', user: { token: 'xyz' } }] }));
  vi.stubEnv('KUBECONFIG', `${join(dir, 'missing')}:${users}:${file('rest', config())}`);
  const connection = await connectionFrom(loadKubeconfig(undefined), {});
  expect(connection.server).toBe('https://one:6443');
  expect((await connection.credentials()).headers).toEqual({ authorization: 'Bearer xyz' });
});

test('a credential plugin is asked', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'issued' },
  };
  const exec = {
    apiVersion: credential.apiVersion,
    command: 'echo',
    args: [JSON.stringify(credential)],
    interactiveMode: 'Never',
  };
  const connection = await connectionFrom(loadKubeconfig(config({ user: { exec } })), {});
  expect((await connection.credentials()).headers).toMatchObject({ Authorization: 'Bearer issued' });
});

test.each([
  ['broken YAML', '{"a": [', /could not use the kubeconfig: it is not YAML/],
  ['a path that does not exist', '/no/such/kubeconfig', /it is neither a file nor the content of one/],
  ['no context', '{}', /it has no current context/],
  ['a plain-text server', config({ server: 'http://one:8080' }), /the server http:\/\/one:8080 is not https/],
  ['a server that is none', config({ server: 'one' }), /'one' is no server address/],
  ['a proxy', config({ cluster: { 'proxy-url': 'http://proxy' } }), /'proxy-url' is not supported here/],
  ['a context without its cluster', config({ context: { cluster: 'three' } }), /it has no cluster 'three'/],
])('a kubeconfig with %s is refused', async (_name, content, message) => {
  const connect = async (): Promise<unknown> => connectionFrom(loadKubeconfig(content), {});
  await expect(connect()).rejects.toThrow(message);
});

test('a context that the settings name and that is not there is refused', async () => {
  await expect(connectionFrom(loadKubeconfig(config()), { context: 'third' })).rejects.toThrow(
    /it has no context 'third'/,
  );
});
