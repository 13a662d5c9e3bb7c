import { hkdfSync, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../common/failure.ts';
import { wrong } from '../common/flagValues.ts';
import { seedLength } from './derivation.ts';
import type { VaultFlag, VaultKey, VaultSettings } from './vaultFlags.ts';

/**
 * The seed of a key that looks as if it were in Vault: whoever names the same key gets the same, and nothing has to be
 * kept. It is no secret, as befits a mock.
 */
export const vaultSeed = ({ address, namespace, keyPath }: VaultKey): Buffer =>
  Buffer.from(
    hkdfSync('sha256', JSON.stringify([address, namespace, keyPath]), '', 'understudy vault seed', seedLength),
  );

const readable = (flag: VaultFlag, path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    throw wrong(flag, path, messageOf(error), 'see that the file is mounted and that this user may read it');
  });

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
};

/**
 * Looks at the files that the real plugin would need.
 * @throws UsageFailure where one is not there, empty, or no certificate.
 */
export const checkVaultFiles = async ({ secretIdPath, caPath }: VaultSettings): Promise<void> => {
  const secretId = await readable('approle-secret-id-path', secretIdPath);
  if (secretId.trim() === '') {
    throw wrong('approle-secret-id-path', secretIdPath, 'the file is empty', "see the AppRole secret's key secret-id");
  }
  if (caPath !== undefined && !isCertificate(await readable('tls-ca-file', caPath))) {
    throw wrong('tls-ca-file', caPath, 'it holds no certificate in PEM', "see the config map's key ca-bundle.crt");
  }
};
