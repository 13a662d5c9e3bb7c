import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administratorClient, type ClusterAccess, readAccess } from '../../cluster/access.ts';
import { type ApiClient, expectOk } from '../../cluster/apiClient.ts';
import { type ClusterMarks, endHome, eventually, type Home, makeHome, marksOf } from './support/home.ts';
import { kill9, processesOf, type Victim, victims } from './support/processes.ts';
import { randomFrom, shuffled } from './support/random.ts';

/** Another seed, other kills; `UNDERSTUDY_CHAOS_ROUNDS=all` kills everything at every step of every transition. */
const seed = Number(process.env.UNDERSTUDY_CHAOS_SEED ?? 1);
const roundsWanted = process.env.UNDERSTUDY_CHAOS_ROUNDS ?? '10';

const stack = 'chaos';
const node = `${stack}-control-plane`;
const component = 'openshift-kube-apiserver';
const keyPrefix = `encryption-key-${component}-`;
const managed = '/api/v1/namespaces/openshift-config-managed/secrets';
const apiServerPath = '/apis/config.openshift.io/v1/apiservers/cluster';

const modes = ['KMS', 'aescbc', 'aesgcm', 'identity', 'another KMS'] as const;
type Mode = (typeof modes)[number];

let home: Home;
let marks: ClusterMarks;
let access: ClusterAccess;
let api: ApiClient;

interface KeySecret {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** What a step of a transition is seen by. */
interface Sight {
  readonly keys: readonly KeySecret[];
  readonly configSecret: string;
  readonly wish: string;
  readonly file: string;
  readonly apiServers: readonly number[];
}

const nodeFile = (path: string): Promise<string> =>
  readFile(join(home.clusterDir(stack), 'nodes', node, 'root', path), 'utf8').catch(() => '');

const listKeys = async (): Promise<readonly KeySecret[]> => {
  const { body } = expectOk(await api.ask('GET', managed), 'list key secrets');
  const { items } = JSON.parse(body) as { readonly items: readonly KeySecret[] };
  return items.filter(({ metadata }) => metadata.name.startsWith(keyPrefix));
};

const numberOf = ({ metadata }: KeySecret): number => Number(metadata.name.slice(keyPrefix.length));
const newest = (keys: readonly KeySecret[]): KeySecret | undefined =>
  [...keys].sort((a, b) => numberOf(b) - numberOf(a))[0];
const migrated = (key: KeySecret | undefined): number => {
  const text = key?.metadata.annotations?.['encryption.apiserver.operator.openshift.io/migrated-resources'];
  return text === undefined || text === ''
    ? 0
    : (JSON.parse(text) as { readonly resources: readonly object[] }).resources.length;
};

const look = async (): Promise<Sight> => {
  const [keys, config, wish, file, apiServers] = await Promise.all([
    listKeys(),
    api.ask('GET', `${managed}/encryption-config-${component}`),
    nodeFile('var/lib/kms-plugin/wish.json'),
    nodeFile('etc/kubernetes/encryption/encryption-config.yaml'),
    processesOf(marks, 'kube-apiserver'),
  ]);
  const data =
    config.status === 200 ? (JSON.parse(config.body) as { readonly data: Readonly<Record<string, string>> }).data : {};
  return { keys, configSecret: data['encryption-config'] ?? '', wish, file, apiServers };
};

/** The steps of a transition, as they can be told from outside, in their order. */
const steps: Readonly<Record<string, (now: Sight, before: Sight) => boolean>> = {
  'patch accepted': () => true,
  'key created': (now, before) => now.keys.length > before.keys.length,
  'configuration written': (now, before) => now.configSecret !== before.configSecret,
  'plugin told': (now, before) => now.wish !== before.wish,
  'file written': (now, before) => now.file !== before.file,
  'next API server started': (now, before) =>
    now.apiServers.some((pid) => !before.apiServers.includes(pid)) || now.apiServers.length > 1,
  'API server handed over': (now, before) =>
    now.apiServers.length === 1 && now.apiServers.every((pid) => !before.apiServers.includes(pid)),
  'first resource migrated': (now, before) => now.keys.length > before.keys.length && migrated(newest(now.keys)) >= 1,
  'all migrated': (now, before) => now.keys.length > before.keys.length && migrated(newest(now.keys)) >= 2,
};

/** Polls so fast, because a step may last a tenth of a second; one that was missed is over, and the kill comes late. */
const reached = async (step: string, before: Sight): Promise<void> => {
  const order = Object.values(steps);
  const from = Object.keys(steps).indexOf(step);
  await eventually(`step '${step}'`, async () => {
    const now = await look();
    return order
      .slice(from)
      .some((isReached, i) => (from + i === 0 ? step === 'patch accepted' : isReached(now, before)))
      ? true
      : undefined;
  });
};

const kmsBlock = async (address: string): Promise<object> => {
  const { body } = expectOk(await api.ask('GET', apiServerPath), 'read the API server configuration');
  const { metadata } = JSON.parse(body) as KeySecret;
  const kms = JSON.parse(metadata.annotations?.['understudy.dev/kms'] ?? '{}') as { readonly vault: object };
  return { ...kms, vault: { ...kms.vault, vaultAddress: address } };
};

const patchTo = async (mode: Mode): Promise<void> => {
  const isKms = mode === 'KMS' || mode === 'another KMS';
  const kms = isKms ? await kmsBlock(`https://${mode === 'KMS' ? 'one' : 'other'}.vault.local:8200`) : null;
  const patch = { spec: { encryption: { type: isKms ? 'KMS' : mode, kms } } };
  expectOk(await api.ask('PATCH', apiServerPath, patch, 'application/merge-patch+json'), `patch to ${mode}`);
};

/** Secrets that were acknowledged, with what is in them. */
const written = new Map<string, string>();

/** So many at the most that migrations of what earlier rounds have written do not make later rounds slow. */
const writeEveryMs = 20;

/** Writes secrets for as long as something goes on, past any refusal. */
const writeWhile = async (work: Promise<unknown>): Promise<void> => {
  let done = false;
  const end = work.finally(() => {
    done = true;
  });
  while (!done) {
    const name = `kept-${written.size + 1}`;
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { plain: name } };
    try {
      const { status } = await api.ask('POST', '/api/v1/namespaces/default/secrets', secret);
      if (status === 201 || status === 409) written.set(name, name);
    } catch {
      // Whoever answers was just killed.
    }
    await sleep(writeEveryMs);
  }
  await end;
};

/** @throws where one is not there, or is not what was written */
const readAll = async (): Promise<true> => {
  const { body } = expectOk(await api.ask('GET', '/api/v1/namespaces/default/secrets'), 'list secrets');
  const { items } = JSON.parse(body) as {
    readonly items: readonly (KeySecret & { readonly data?: { readonly plain?: string } })[];
  };
  const found = new Map(items.map(({ metadata, data }) => [metadata.name, data?.plain]));
  for (const [name, plain] of written)
    expect(Buffer.from(found.get(name) ?? '', 'base64').toString(), name).toBe(plain);
  return true;
};

const finished = async (mode: Mode, before: Sight): Promise<void> => {
  const wanted = mode === 'another KMS' ? 'KMS' : mode;
  await eventually(
    `everything under ${mode}`,
    async () => {
      const { keys } = await look();
      const key = newest(keys);
      const isNew = keys.length > before.keys.length || newest(before.keys)?.metadata.name === undefined;
      const is = key?.metadata.annotations?.['encryption.apiserver.operator.openshift.io/mode'];
      if (isNew && is === wanted && migrated(key) === 2) return true;
      throw new Error(`newest key ${key?.metadata.name}: ${is}, ${migrated(key)} of 2 resources migrated`);
    },
    120_000,
  );
};

const pods: Partial<Readonly<Record<Victim, string>>> = {
  operator: 'openshift-kube-apiserver-operator/pods?labelSelector=app%3Dkube-apiserver-operator',
  installer: 'openshift-kube-apiserver/pods?labelSelector=app%3Dinstaller',
  plugin: 'openshift-kms-plugin/pods?labelSelector=app%3Dkms-plugin',
};

interface Pod {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/**
 * Kubelet waits longer after each end of the same pod's container, up to five minutes; a new pod begins anew. Waits for that:
 * where the API server is killed before it is made, its controller may take a minute to notice.
 */
const forgetRestarts = async (victim: Victim): Promise<void> => {
  const path = pods[victim];
  if (path === undefined) return;
  const all = async (): Promise<readonly Pod[]> => {
    const { body } = expectOk(await api.ask('GET', `/api/v1/namespaces/${path}`), 'list pods');
    return (JSON.parse(body) as { readonly items: readonly Pod[] }).items;
  };
  const old = await eventually(`the pods of ${victim}`, all);
  await eventually(`deletion of the pod of ${victim}`, async () => {
    expectOk(await api.ask('DELETE', `/api/v1/namespaces/${path}`), 'delete a pod');
    return true;
  });
  const isNew = ({ metadata }: Pod): boolean => old.every(({ metadata: { uid } }) => uid !== metadata.uid);
  await eventually(`a new pod of ${victim}`, async () => {
    const now = await all();
    if (now.length > 0 && now.every((pod) => isNew(pod) && isReady(pod))) return true;
    throw new Error(`${now.length} pods, ${now.filter(isNew).length} of them new, ${now.filter(isReady).length} ready`);
  });
};

interface Kill {
  readonly step: string;
  readonly victim: Victim;
}

const random = randomFrom(seed);
/** All of them; each row of as many as there are victims has each of these once. */
const allKills: readonly Kill[] = (() => {
  const names = Object.keys(victims) as Victim[];
  const columns = names.map((victim) => shuffled(Object.keys(steps), random).map((step): Kill => ({ step, victim })));
  return Object.keys(steps).flatMap((_, row) => columns.flatMap((column) => column[row] ?? []));
})();
/** Every transition between two modes, chained so that each begins where the one before ended. */
const transitions = (count: number): readonly Mode[] => {
  const chain: Mode[] = [];
  let at: Mode = 'KMS';
  while (chain.length < count) {
    const others = modes.filter((mode) => mode !== at);
    at = others[Math.floor(random() * others.length)] ?? 'KMS';
    chain.push(at);
  }
  return chain;
};
const rounds = roundsWanted === 'all' ? allKills.length * 2 : Number(roundsWanted);
const chain = transitions(rounds);

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack);
  const up = await home.run('up', stack);
  expect(up.code, up.stderr).toBe(0);
  marks = await marksOf(home, stack);
  const found = await readAccess(home.clusterDir(stack));
  if (found === undefined) throw new Error('the cluster has no credentials');
  access = found;
  api = administratorClient(access);
});

afterAll(async () => {
  api?.close();
  await endHome(home);
});

describe(`kill -9 at the steps of transitions, seed ${seed}`, () => {
  it.each(chain.map((mode, i) => ({ round: i + 1, mode, ...(allKills[i % allKills.length] as Kill) })))(
    'round $round: to $mode, $victim killed when $step',
    async ({ mode, step, victim }) => {
      const before = await eventually('the state before', look);
      // A trim of read keys may still be handing over.
      await eventually(`the patch to ${mode}`, async () => {
        await patchTo(mode);
        return true;
      });
      await writeWhile(
        (async () => {
          await reached(step, before);
          await kill9(marks, victim);
          await finished(mode, before);
        })(),
      );
      await forgetRestarts(victim);
      await eventually('every acknowledged secret', readAll);
      await eventually('the proof from raw etcd', async () => {
        const verify = await home.run('verify', stack, '--json');
        if (verify.code === 0) return true;
        throw new Error(verify.stdout + verify.stderr);
      });
    },
    180_000,
  );
});
