import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate with its private key, both PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Credential {
  issue(request: CertificateRequest): Promise<Credential>;
}

/** From when to when; X.509 has whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateRequest {
  /** For a client of Kubernetes: the user. */
  readonly commonName: string;
  /** For a client of Kubernetes: the group. */
  readonly organization?: string;
  readonly usages: readonly ('client' | 'server')[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** Ten years from now where left out. */
  readonly validity?: Validity;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const tenYears = 10 * 365 * 24 * 3600 * 1000;
/** Clocks of machines that share a cluster may differ a little. */
const clockSkew = 5 * 60 * 1000;

const forTenYears = (): Validity => ({
  notBefore: new Date(Date.now() - clockSkew),
  notAfter: new Date(Date.now() + tenYears),
});

const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

const pemKey = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

const usageIds = { client: x509.ExtendedKeyUsage.clientAuth, server: x509.ExtendedKeyUsage.serverAuth };

/** A self-signed certificate that signs others, with its key. */
export const createAuthority = async (
  commonName: string,
  { notBefore, notAfter } = forTenYears(),
): Promise<Credential> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore,
    notAfter,
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

/** What can sign with a credential of {@link createAuthority}. @throws where that is damaged */
export const authorityOf = (credential: Credential): Authority => {
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
      ...(request.validity ?? forTenYears()),
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
