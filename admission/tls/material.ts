import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { authorityOf, type Credential, createAuthority, type Validity } from '../../common/certificates.ts';
import { authorityLives, type Life, planTls, type Standing, skewMs } from './plan.ts';

/** The authorities and the serving certificate. */
export interface TlsMaterial {
  /** Oldest first. */
  readonly authorities: readonly Credential[];
  readonly serving: Credential | undefined;
}

/** Values of a Secret's `data` before base64. */
export type SecretTexts = Readonly<Record<string, string | undefined>>;

export const noMaterial: TlsMaterial = { authorities: [], serving: undefined };

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;
const keys = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/g;

const isPair = ({ certificate, key }: Credential): boolean => {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
};

/** What of a Secret can be used; what is damaged counts as not there. */
export const readMaterial = (texts: SecretTexts): TlsMaterial => {
  const authorityKeys = texts['ca.key']?.match(keys) ?? [];
  const authorities = (texts['ca.crt']?.match(certificates) ?? [])
    .map((certificate, i) => ({ certificate, key: authorityKeys[i] ?? '' }))
    .filter(isPair);
  const serving = { certificate: texts['tls.crt'] ?? '', key: texts['tls.key'] ?? '' };
  return { authorities, serving: isPair(serving) ? serving : undefined };
};

/** What API servers trust. */
export const bundleOf = ({ authorities }: TlsMaterial): string =>
  authorities.map(({ certificate }) => certificate).join('');

export const renderMaterial = (material: TlsMaterial): Readonly<Record<string, string>> => ({
  'ca.crt': bundleOf(material),
  'ca.key': material.authorities.map(({ key }) => key).join(''),
  'tls.crt': material.serving?.certificate ?? '',
  'tls.key': material.serving?.key ?? '',
});

export const lifeOf = ({ certificate }: Credential): Life => {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
};

const namesOf = (certificate: X509Certificate): readonly string[] =>
  (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));

/** Whether a certificate is for these names, and of one of the authorities. */
const fits = ({ certificate }: Credential, authorities: readonly Credential[], names: readonly string[]): boolean => {
  const serving = new X509Certificate(certificate);
  const present = namesOf(serving);
  return (
    names.length === present.length &&
    names.every((name) => present.includes(name)) &&
    authorities.some((one) => serving.verify(new X509Certificate(one.certificate).publicKey))
  );
};

const standingOf = ({ authorities, serving }: TlsMaterial, names: readonly string[]): Standing => ({
  authorities: authorities.map(lifeOf),
  serving: serving !== undefined && fits(serving, authorities, names) ? lifeOf(serving) : undefined,
});

export interface TlsWish {
  /** DNS names and IP addresses of the serving certificate. */
  readonly names: readonly string[];
  /** Life of a serving certificate, milliseconds; of seconds in a test. */
  readonly lifeMs: number;
}

const validFor = (lifeMs: number, now: number): Validity => ({
  notBefore: new Date(now - skewMs(lifeMs)),
  notAfter: new Date(now + lifeMs),
});

const issueServing = (issuer: Credential, { names, lifeMs }: TlsWish, now: number): Promise<Credential> => {
  const until = Math.min(lifeMs, lifeOf(issuer).notAfter - now);
  return authorityOf(issuer).issue({
    commonName: names[0] ?? 'admission-webhook',
    usages: ['server'],
    dnsNames: names.filter((name) => isIP(name) === 0),
    addresses: names.filter((name) => isIP(name) !== 0),
    validity: validFor(until, now),
  });
};

/** With all made anew that is due at `now`; the same object where nothing is. */
export const renewMaterial = async (material: TlsMaterial, wish: TlsWish, now: number): Promise<TlsMaterial> => {
  const { kept, newAuthority, issuer } = planTls(standingOf(material, wish.names), wish.lifeMs, now);
  if (!newAuthority && issuer === undefined && kept.length === material.authorities.length) return material;
  const authorities = kept.flatMap((index) => material.authorities[index] ?? []);
  if (newAuthority) {
    authorities.push(await createAuthority('admission-webhook-ca', validFor(wish.lifeMs * authorityLives, now)));
  }
  const signer = issuer === undefined ? undefined : authorities[issuer];
  const serving = signer === undefined ? material.serving : await issueServing(signer, wish, now);
  return { authorities, serving };
};
