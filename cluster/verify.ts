import { randomBytes } from 'node:crypto';
import { administratorClient, type ClusterAccess } from './access.ts';
import { type ApiClient, expectOk } from './apiClient.ts';
import { parseStoredValue } from './encryptedObject.ts';
import { connectEtcd, type EtcdEntry, entriesOf } from './etcd.ts';
import { patientClient } from './patientClient.ts';

/** How the objects of a resource are stored. */
export interface ResourceReport {
  readonly checked: number;
  readonly encrypted: number;
  readonly plaintext: number;
  /** Objects by provider name, `1_secrets`. */
  readonly byKey: Readonly<Record<string, number>>;
  /** Objects by the plugin's key_id. */
  readonly byKekID: Readonly<Record<string, number>>;
  /** Objects that are not stored as they should be. */
  readonly wrongCount: number;
  /** Their keys in etcd; the first ten. */
  readonly wrong: readonly string[];
}

export interface VerifyReport {
  readonly resources: Readonly<Record<string, ResourceReport>>;
  /** Whether a secret written now was stored as it should be, and read back the same through every API server. */
  readonly roundTrip: boolean;
}

/**
 * How the values of a resource should be stored: as plain text; under a key of which nothing is stored yet; or with a prefix
 * that names the key, `k8s:enc:aescbc:v1:2:`, and under a key-encryption key where that is known.
 */
export type Expectation = 'plaintext' | 'key to come' | { readonly prefix: string; readonly kekID: string | undefined };

/** By resource. */
export type Expectations = Readonly<Record<string, Expectation>>;

const secretsPath = '/api/v1/namespaces/default/secrets';
/** Where it was done, and the answer was lost. */
const [alreadyThere, gone] = [409, 404];
const shownWrong = 10;

const meets = (value: Buffer, expected: Expectation): boolean => {
  if (expected === 'key to come') return false;
  const stored = parseStoredValue(value);
  if (expected === 'plaintext') return !stored.encrypted;
  if (!stored.encrypted || !value.subarray(0, expected.prefix.length).equals(Buffer.from(expected.prefix)))
    return false;
  return expected.kekID === undefined || stored.kekID === expected.kekID;
};

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** Sums up how a resource's objects are stored. */
export const reportOn = async (
  entries: AsyncIterable<EtcdEntry> | Iterable<EtcdEntry>,
  expected: Expectation,
): Promise<ResourceReport> => {
  const byKey: Record<string, number> = {};
  const byKekID: Record<string, number> = {};
  const wrong: string[] = [];
  let checked = 0;
  let encrypted = 0;
  let wrongCount = 0;
  for await (const { key, value } of entries) {
    checked += 1;
    const stored = parseStoredValue(value);
    if (stored.encrypted) {
      encrypted += 1;
      count(byKey, stored.key);
      if (stored.kekID !== undefined) count(byKekID, stored.kekID);
    }
    if (meets(value, expected)) continue;
    wrongCount += 1;
    if (wrong.length < shownWrong) wrong.push(key);
  }
  return { checked, encrypted, plaintext: checked - encrypted, byKey, byKekID, wrongCount, wrong };
};

/** Whether everything is stored as it should be. */
export const isProven = (report: VerifyReport): boolean =>
  report.roundTrip &&
  Object.values(report.resources).every((resource) => resource.wrongCount === 0 && resource.checked > 0);

/** A cluster to be looked at through its API servers, and past them; ended by who made it. */
export interface VerifySubject {
  /** Where all clients ask. */
  readonly api: ApiClient;
  /** Each API server by itself, where it can be reached so. */
  readonly apiServers: readonly ApiClient[];
  readonly etcd: ApiClient;
}

/** Lets `work` look at a cluster of ours. */
export const withOwnSubject = async <T>(
  access: ClusterAccess,
  work: (subject: VerifySubject) => Promise<T>,
): Promise<T> => {
  const etcd = await connectEtcd(access);
  const api = patientClient(administratorClient(access));
  // Each control-plane node has an etcd member and an API server.
  const apiServers = access.etcd.hosts.map((host) => patientClient(administratorClient(access, host)));
  try {
    return await work({ api, apiServers, etcd });
  } finally {
    for (const client of [etcd, api, ...apiServers]) client.close();
  }
};

const readBack = async (api: ApiClient, path: string): Promise<string> => {
  const { body } = expectOk(await api.ask('GET', path), 'read the secret');
  const data = (JSON.parse(body) as { readonly data?: { readonly plain?: string } }).data;
  return Buffer.from(data?.plain ?? '', 'base64').toString();
};

interface RoundTrip {
  /** Of the secret, in the API server and in etcd. */
  readonly path: string;
  readonly key: string;
  readonly plain: string;
  readonly expected: Expectation;
}

/** Whether a secret is stored as it should be, without its plain text where that is meant to be secret, and reads back the same. */
const isRoundTripProven = async (
  { api, apiServers, etcd }: VerifySubject,
  { path, key, plain, expected }: RoundTrip,
): Promise<boolean> => {
  let stored: Buffer | undefined;
  for await (const entry of entriesOf(etcd, key)) stored = entry.value;
  if (stored === undefined || !meets(stored, expected)) return false;
  if (stored.includes(plain) !== (expected === 'plaintext')) return false;
  const texts = await Promise.all([api, ...apiServers].map((client) => readBack(client, path)));
  return texts.every((text) => text === plain);
};

/**
 * Writes a secret, reads raw etcd and says how that one and all objects of the expected resources are stored, and deletes it.
 * @param etcdPrefix what all keys in etcd begin with: `/registry`
 * @throws Failure where the API server refuses the secret
 */
export const verifyEncryption = async (
  subject: VerifySubject,
  etcdPrefix: string,
  expectations: Expectations,
): Promise<VerifyReport> => {
  const { api, etcd } = subject;
  const name = `understudy-verify-${randomBytes(4).toString('hex')}`;
  const plain = randomBytes(16).toString('hex');
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { plain } };
  expectOk(await api.ask('POST', secretsPath, secret), 'write a secret', [alreadyThere]);
  const path = `${secretsPath}/${name}`;
  try {
    const key = `${etcdPrefix}/secrets/default/${name}`;
    const expected = expectations.secrets ?? 'key to come';
    const roundTrip = await isRoundTripProven(subject, { path, key, plain, expected });
    const resources: Record<string, ResourceReport> = {};
    for (const [resource, expectation] of Object.entries(expectations)) {
      resources[resource] = await reportOn(entriesOf(etcd, `${etcdPrefix}/${resource}/`), expectation);
    }
    return { resources, roundTrip };
  } finally {
    expectOk(await api.ask('DELETE', path), 'delete the secret', [gone]);
  }
};
