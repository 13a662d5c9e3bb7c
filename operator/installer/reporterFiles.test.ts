import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { openReporterFiles } from './reporterFiles.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'reporter-files-'));
  return () => rm(dir, { recursive: true });
});

it('names the sockets of keys, each once', async () => {
  const files = openReporterFiles(dir, 'https://10.0.0.1:6443');
  await Promise.all([files.watchKeys([1]), files.watchKeys([10, 2, 2])]);
  expect(await readFile(join(dir, 'sockets'), 'utf8')).toBe(
    'unix:///var/run/kmsplugin/kms-2.sock\nunix:///var/run/kmsplugin/kms-10.sock\n',
  );
  await files.watchKeys([]);
  expect(await readFile(join(dir, 'sockets'), 'utf8')).toBe('');
});

it('makes a kubeconfig of a token that has been issued, for root alone', async () => {
  const files = openReporterFiles(dir, 'https://10.0.0.1:6443');
  await files.identify({});
  await expect(stat(join(dir, 'kubeconfig'))).rejects.toThrow('ENOENT');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  await files.identify({ data: { token: base64('secret'), 'ca.crt': base64('CA') } });
  const kubeconfig = JSON.parse(await readFile(join(dir, 'kubeconfig'), 'utf8'));
  expect(kubeconfig.users[0].user).toEqual({ token: 'secret' });
  expect(kubeconfig.clusters[0].cluster).toEqual({
    server: 'https://10.0.0.1:6443',
    'certificate-authority-data': base64('CA'),
  });
  expect((await stat(join(dir, 'kubeconfig'))).mode & 0o777).toBe(0o600);
});
