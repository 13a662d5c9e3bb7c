import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { type Authority, authorityOf, createAuthority } from '../common/certificates.ts';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/;
const keyPattern = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/;

/**
 * The certificate authority kept in `<pkiDir>/<name>.pem` (certificate and key in one file, so that there are never
 * halves of two), made where there is none.
 * @throws Failure where the file is damaged: another authority would lock everybody out
 */
export const loadAuthority = async (pkiDir: string, name: string): Promise<Authority> => {
  const path = join(pkiDir, `${name}.pem`);
  const kept = await readFileIfThere(path);
  if (kept !== undefined) {
    const certificate = certificatePattern.exec(kept)?.[0];
    const key = keyPattern.exec(kept)?.[0];
    if (certificate !== undefined && key !== undefined) return authorityOf({ certificate, key });
    throw new Failure({
      tried: `read the certificate authority ${path}`,
      got: 'the file is cut short or was edited',
      next: "put it back, or remove the cluster with 'understudy down' and make it anew",
    });
  }
  const created = await createAuthority(name);
  await writeFileWhole(path, created.certificate + created.key);
  return authorityOf(created);
};

export interface ServiceAccountKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The pair that signs service account tokens, kept in `<pkiDir>/service-account.pem`, made where there is none. */
export const loadServiceAccountKeys = async (pkiDir: string): Promise<ServiceAccountKeys> => {
  const path = join(pkiDir, 'service-account.pem');
  const kept = await readFileIfThere(path);
  const privateKey =
    kept === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(kept);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (kept === undefined) await writeFileWhole(path, pem);
  return { privateKey: pem, publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString() };
};
