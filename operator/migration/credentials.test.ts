import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { credentialsOf } from './credentials.ts';

test("a pod's credentials are its token's file and the cluster's certificate", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'credentials-'));
  try {
    const [tokenFile, caFile] = [join(dir, 'token'), join(dir, 'ca.crt')];
    await writeFile(tokenFile, 'secret-token');
    await writeFile(caFile, 'certificate');
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'cluster', server: 'https://10.96.0.1:443', caFile, skipTLSVerify: false },
      { name: 'pod', authProvider: { name: 'tokenFile', config: { tokenFile } } },
    );
    const { server, tls, headers } = await credentialsOf(config)();
    expect(server).toBe('https://10.96.0.1:443');
    expect(String(tls.ca)).toBe('certificate');
    expect(headers).toEqual({ authorization: 'Bearer secret-token' });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a token that cannot be read is an error, and read again the next time', async () => {
  const config = new KubeConfig();
  const tokenFile = join(tmpdir(), 'there-is-no-such-token');
  config.loadFromClusterAndUser(
    { name: 'cluster', server: 'https://10.96.0.1:443', skipTLSVerify: false },
    { name: 'pod', authProvider: { name: 'tokenFile', config: { tokenFile } } },
  );
  const credentials = credentialsOf(config);
  await expect(credentials()).rejects.toThrow(/ENOENT/);
  await expect(credentials()).rejects.toThrow(/ENOENT/);
});
