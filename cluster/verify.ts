import { randomBytes } from 'node:crypto';
import { administratorClient, type ClusterAccess } from './access.ts';
import { expectOk } from './apiClient.ts';
import { parseStoredValue, type StoredValue } from './encryptedObject.ts';
import { encryptedResources, providerName } from './encryptionConfiguration.ts';
import { readEtcd } from './etcd.ts';

/** How the objects of a resource are stored. */
export interface ResourceReport {
  readonly checked: number;
  readonly encrypted: number;
  readonly plaintext: number;
  /** Objects by provider name, `1_secrets`. */
  readonly byKey: Readonly<Record<string, number>>;
  /** Objects by the plugin's key_id. */
  readonly byKekID: Readonly<Record<string, number>>;
  /** Keys in etcd of objects that are not stored under the current key; the first ten. */
  readonly wrong: readonly string[];
}

export interface VerifyReport {
  readonly resources: Readonly<Record<string, ResourceReport>>;
  /** Whether a secret written now was stored encrypted, without its plain text, and read back the same. */
  readonly roundTrip: boolean;
}

const registryPrefix = '/registry';
const secretsPath = '/api/v1/namespaces/default/secrets';
const shownWrong = 10;

const countBy = (names: readonly string[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** Sums up how a resource's objects are stored. */
export const reportOn = (
  stored: readonly { readonly key: string; readonly value: StoredValue }[],
  currentKey: string,
): ResourceReport => {
  const encrypted = stored.flatMap(({ value }) => (value.encrypted ? [value] : []));
  const wrong = stored.filter(({ value }) => !value.encrypted || value.key !== currentKey).map(({ key }) => key);
  return {
    checked: stored.length,
    encrypted: encrypted.length,
    plaintext: stored.length - encrypted.length,
    byKey: countBy(encrypted.map(({ key }) => key)),
    byKekID: countBy(encrypted.flatMap(({ kekID }) => (kekID === undefined ? [] : [kekID]))),
    wrong: wrong.slice(0, shownWrong),
  };
};

/** Whether everything that should be encrypted is, under the current key. */
export const isProven = (report: VerifyReport): boolean =>
  report.roundTrip &&
  Object.values(report.resources).every((resource) => resource.wrong.length === 0 && resource.checked > 0);

const scan = async (access: ClusterAccess): Promise<Readonly<Record<string, ResourceReport>>> => {
  const resources: Record<string, ResourceReport> = {};
  for (const resource of encryptedResources) {
    const stored: { key: string; value: StoredValue }[] = [];
    for await (const { key, value } of readEtcd(access, `${registryPrefix}/${resource}/`)) {
      stored.push({ key, value: parseStoredValue(value) });
    }
    resources[resource] = reportOn(stored, providerName(resource));
  }
  return resources;
};

const readBack = async (access: ClusterAccess, host: string, path: string): Promise<string> => {
  const api = administratorClient(access, host);
  try {
    const { body } = expectOk(await api.ask('GET', path), `read the secret through ${host}`);
    const data = (JSON.parse(body) as { readonly data?: { readonly plain?: string } }).data;
    return Buffer.from(data?.plain ?? '', 'base64').toString();
  } finally {
    api.close();
  }
};

/** Whether a secret is stored encrypted, without its plain text, and reads back the same through every API server. */
const isRoundTripProven = async (access: ClusterAccess, path: string, key: string, plain: string): Promise<boolean> => {
  let stored: Buffer | undefined;
  for await (const entry of readEtcd(access, key)) stored = entry.value;
  if (stored === undefined || !parseStoredValue(stored).encrypted || stored.includes(plain)) return false;
  // Each control-plane node has an etcd member and an API server.
  const texts = await Promise.all(access.etcd.hosts.map((host) => readBack(access, host, path)));
  return texts.every((text) => text === plain);
};

/**
 * Writes a secret, reads raw etcd and says how that one and all other secrets and config maps are stored, and deletes it.
 * @throws Failure where the API server refuses the secret
 */
export const verifyEncryption = async (access: ClusterAccess): Promise<VerifyReport> => {
  const api = administratorClient(access);
  const name = `understudy-verify-${randomBytes(4).toString('hex')}`;
  const plain = randomBytes(16).toString('hex');
  try {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { plain } };
    expectOk(await api.ask('POST', secretsPath, secret), 'write a secret');
    const path = `${secretsPath}/${name}`;
    try {
      const roundTrip = await isRoundTripProven(access, path, `${registryPrefix}/secrets/default/${name}`, plain);
      return { resources: await scan(access), roundTrip };
    } finally {
      expectOk(await api.ask('DELETE', path), 'delete the secret');
    }
  } finally {
    api.close();
  }
};
