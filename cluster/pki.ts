import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';

/** A certificate with its private key, both PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Credential {
  issue(request: CertificateRequest): Promise<Credential>;
}

export interface CertificateRequest {
  /** For a client of Kubernetes: the user. */
  readonly commonName: string;
  /** For a client of Kubernetes: the group. */
  readonly organization?: string;
  readonly usages: readonly ('client' | 'server')[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const tenYears = 10 * 365 * 24 * 3600 * 1000;
/** Clocks of machines that share a cluster may differ a little. */
const clockSkew = 5 * 60 * 1000;

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - clockSkew),
  notAfter: new Date(Date.now() + tenYears),
});

const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

const pemKey = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

const usageIds = { client: x509.ExtendedKeyUsage.clientAuth, server: x509.ExtendedKeyUsage.serverAuth };

const createAuthority = async (commonName: string): Promise<Credential> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: pemKey(keys.privateKey) };
};

const toAuthority = async (credential: Credential): Promise<Authority> => {
  const issuer = new x509.X509Certificate(credential.certificate);
  const signingKey = createPrivateKey(credential.key).toCryptoKey(algorithm, false, ['sign']);
  const issue = async (request: CertificateRequest): Promise<Credential> => {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const names = [
      ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    const subject: x509.JsonName = [
      ...(request.organization === undefined ? [] : [{ O: [request.organization] }]),
      { CN: [request.commonName] },
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: issuer.subjectName,
      ...validity(),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => usageIds[usage])),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: pemKey(keys.privateKey) };
  };
  return { ...credential, issue };
};

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
    if (certificate !== undefined && key !== undefined) return toAuthority({ certificate, key });
    throw new Failure({
      tried: `read the certificate authority ${path}`,
      got: 'the file is cut short or was edited',
      next: "put it back, or remove the cluster with 'understudy down' and make it anew",
    });
  }
  const created = await createAuthority(name);
  await writeFileWhole(path, created.certificate + created.key);
  return toAuthority(created);
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
