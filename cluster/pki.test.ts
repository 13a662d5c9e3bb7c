import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAuthority, loadServiceAccountKeys } from './pki.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pki-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('an authority', () => {
  it('is kept, readable by its owner alone, and made once', async () => {
    const first = await loadAuthority(dir, 'ca');
    expect((await stat(join(dir, 'ca.pem'))).mode & 0o777).toBe(0o600);
    expect((await loadAuthority(dir, 'ca')).certificate).toBe(first.certificate);
  });

  it('is never replaced silently where its file is cut short', async () => {
    await loadAuthority(dir, 'ca');
    const path = join(dir, 'ca.pem');
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -60));
    await expect(loadAuthority(dir, 'ca')).rejects.toThrow(/cut short/);
  });

  it('issues certificates that it vouches for, with user, group, names and use', async () => {
    const authority = await loadAuthority(dir, 'ca');
    const issued = await authority.issue({
      commonName: 'system:node:a',
      organization: 'system:nodes',
      usages: ['server'],
      dnsNames: ['a'],
      addresses: ['10.0.0.1'],
    });
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:a');
    expect(certificate.subjectAltName).toBe('DNS:a, IP Address:10.0.0.1');
    expect(certificate.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
    expect(certificate.ca).toBe(false);
  });
});

describe('the service account keys', () => {
  it('stay the same, or tokens would be refused after a restart', async () => {
    expect(await loadServiceAccountKeys(dir)).toEqual(await loadServiceAccountKeys(dir));
  });
});
