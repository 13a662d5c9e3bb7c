import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readKubeconfig } from './kubeconfig.ts';

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  path = join(dir, 'kubeconfig');
  return () => rm(dir, { recursive: true });
});

const config = (cluster: object, user: object) => ({
  'current-context': 'b',
  clusters: [
    { name: 'other', cluster: {} },
    { name: 'a', cluster },
  ],
  users: [{ name: 'me', user }],
  contexts: [{ name: 'b', context: { cluster: 'a', user: 'me' } }],
});
const server = 'https://10.0.0.1:6443';

it.each([JSON.stringify, stringify])('server, authority and token, in JSON or YAML', async (render) => {
  const authority = Buffer.from('CA').toString('base64');
  await writeFile(path, render(config({ server, 'certificate-authority-data': authority }, { token: 'secret' })));
  expect(await readKubeconfig(path)).toEqual({
    server,
    credentials: { ca: Buffer.from('CA'), headers: { authorization: 'Bearer secret' } },
  });
});

it('files count from its own folder, and are read anew', async () => {
  await writeFile(join(dir, 'token'), 'first\n');
  await writeFile(join(dir, 'client.crt'), 'cert');
  await writeFile(join(dir, 'client.key'), 'key');
  const user = { tokenFile: 'token', 'client-certificate': 'client.crt', 'client-key': 'client.key' };
  await writeFile(path, JSON.stringify(config({ server, 'tls-server-name': 'localhost' }, user)));
  const { credentials } = await readKubeconfig(path);
  expect(credentials).toEqual({
    cert: Buffer.from('cert'),
    key: Buffer.from('key'),
    servername: 'localhost',
    headers: { authorization: 'Bearer first' },
  });
  await writeFile(join(dir, 'token'), 'second');
  expect((await readKubeconfig(path)).credentials.headers).toEqual({ authorization: 'Bearer second' });
});

it.each([
  ['', 'no https address'],
  ['{', 'could not use the kubeconfig'],
  ['[]', 'no https address'],
  [JSON.stringify(config({ server: 'http://10.0.0.1' }, {})), "'http://10.0.0.1', which is no https address"],
  [JSON.stringify({ ...config({ server }, {}), 'current-context': 'none' }), 'no https address'],
  [JSON.stringify(config({ server }, { exec: { command: 'aws' } })), 'credential plugin'],
])('%s is refused', async (content, message) => {
  await writeFile(path, content);
  await expect(readKubeconfig(path)).rejects.toThrow(message);
});

it('one that is not there is refused, and a secret is in no message', async () => {
  await expect(readKubeconfig(join(dir, 'none'))).rejects.toThrow('ENOENT');
  await writeFile(path, JSON.stringify(config({ server: 'nowhere' }, { token: 'hunter2' })));
  await expect(readKubeconfig(path)).rejects.not.toThrow('hunter2');
});
