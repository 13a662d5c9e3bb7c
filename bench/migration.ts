import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { exec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { projectDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { serviceFlags } from '../image/build.ts';
import { bundleService } from '../image/bundle.ts';
import { apiClient } from '../operator/migration/apiClient.ts';
import { credentialsOf } from '../operator/migration/credentials.ts';
import { sendPatiently, statusMessage } from '../operator/migration/patience.ts';
import type { MigrationObservation } from '../operator/observation.ts';
import {
  type EncryptedApiServer,
  type Provider,
  startEncryptedApiServer,
} from '../test/integration/encryptedApiServer.ts';
import { createWorkplace, runPlugin, type Workplace } from '../test/integration/plugin.process.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { median, rounded } from './statistics.ts';

/** Of OpenShift's own load test of migration. */
const counts = { secrets: 25_000, configmaps: 14_000 } as const;
const kinds = { secrets: 'Secret', configmaps: 'ConfigMap' } as const;
type Resource = keyof typeof counts;

/** Of them in namespace 0, so that the peer need not list all to get at its sample. */
const sample = { secrets: 2_000, configmaps: 1_000 } as const;
const namespaces = 50;
const valueBytes = 1_000;

const namespaceOf = (resource: Resource, i: number): string =>
  `bench-${i < sample[resource] ? 0 : 1 + (i % (namespaces - 1))}`;

interface Migrated {
  readonly seconds: number;
  readonly rssBytes: number;
  readonly migrations: readonly MigrationObservation[];
}

interface Sample {
  readonly seconds: number;
  readonly objects: number;
}

const wrong = (got: string): Failure =>
  new Failure({ tried: 'measure the migration', got, next: 'run the tests: npm run test:integration' });

/** Each key is a plugin of its own, with a KEK of its own. */
const startPlugins = async (workplace: Workplace): Promise<Provider> => {
  const socket = (key: number): string => join(workplace.dir, `kms-${key}.sock`);
  for (const key of [1, 2]) {
    const keystore = `--keystore-dir=${join(workplace.dir, `keystore-${key}`)}`;
    await runPlugin(workplace, [`--listen-addr=unix://${socket(key)}`, keystore]).said('serving KMS v2');
  }
  return (key, resource) => ({
    kms: { apiVersion: 'v2', name: `${key}_${resource}`, endpoint: `unix://${socket(key)}`, timeout: '10s' },
  });
};

const create = async (server: EncryptedApiServer): Promise<void> => {
  const admin = new KubeConfig();
  admin.loadFromFile(server.kubeconfigPath);
  const client = apiClient(credentialsOf(admin), 4);
  const { signal } = new AbortController();
  const post = async (path: string, object: object): Promise<void> => {
    const answer = await sendPatiently(client, { method: 'POST', path, body: JSON.stringify(object) }, signal);
    if (answer.status !== 201) throw wrong(`${path}: ${statusMessage(answer)}`);
  };
  const value = 'x'.repeat(valueBytes);
  function* objects(): Generator<[string, object]> {
    for (const resource of Object.keys(counts) as Resource[]) {
      for (let i = 0; i < counts[resource]; i += 1) {
        const content = resource === 'secrets' ? { stringData: { value } } : { data: { value } };
        yield [
          `/api/v1/namespaces/${namespaceOf(resource, i)}/${resource}`,
          { apiVersion: 'v1', kind: kinds[resource], metadata: { name: `${resource}-${i}` }, ...content },
        ];
      }
    }
  }
  try {
    for (let i = 0; i < namespaces; i += 1) {
      await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `bench-${i}` } });
    }
    const source = objects();
    const worker = async (): Promise<void> => {
      for (const [path, object] of source) await post(path, object);
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  } finally {
    client.close();
  }
};

const expectStoredBy = async (server: EncryptedApiServer, key: number): Promise<void> => {
  for (const [resource, count] of Object.entries(counts)) {
    const stored = await server.storedBy(resource);
    const [[by, objects] = ['', 0], ...others] = Object.entries(stored);
    if (by !== `${key}_${resource}` || objects < count || others.length > 0) {
      throw wrong(`etcd has ${resource} by key as ${JSON.stringify(stored)}`);
    }
  }
};

/** Our migrator as the operator's image will run it: one bundle in a process of its own, under the operator's account. */
const migrate = async (server: EncryptedApiServer, dir: string, writeKey: number): Promise<Migrated> => {
  const bundle = join(dir, 'operator.mjs');
  await writeFile(bundle, await bundleService(join(projectDir, 'test', 'integration', 'migration.process.ts')));
  const output = await exec(process.execPath, [
    ...serviceFlags,
    bundle,
    server.operatorKubeconfigPath,
    String(writeKey),
  ]);
  return JSON.parse(output) as Migrated;
};

/** What OpenShift's and Kubernetes' documents tell to type. */
const replaceByKubectl = async ({ kubeconfigPath }: EncryptedApiServer, kubectl: string): Promise<Sample> => {
  const begin = performance.now();
  const output = await exec('sh', [
    '-c',
    '"$1" get secrets,configmaps -n bench-0 -o json --kubeconfig="$2" | "$1" replace -f - --kubeconfig="$2"',
    'sh',
    kubectl,
    kubeconfigPath,
  ]);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, objects: output.trim().split('\n').length };
};

const row = (name: string, objects: number, seconds: number, rest = ''): string =>
  [
    name.padEnd(9),
    `${objects} objects`.padStart(15),
    `${seconds.toFixed(1)} s`.padStart(9),
    `${Math.round(objects / seconds)}/s`.padStart(9),
    rest,
  ].join('');

/**
 * Every secret and config map of a cluster of the size of OpenShift's load test moved to a new KMS key, and a sample of them
 * moved by kubectl; etcd, kube-apiserver, both plugins and the migrator share this machine.
 */
export const benchMigration = async (progress: Progress): Promise<Record<string, number>> => {
  const dir = await mkdtemp(join(tmpdir(), 'bench-migration-'));
  const workplace = await createWorkplace();
  try {
    const { kubectl } = await ensurePrograms(['kubectl'], progress);
    const server = await startEncryptedApiServer({ provider: await startPlugins(workplace) });
    try {
      await progress.phase('create the objects', () => create(server));
      await server.writeWith(2);
      const moved = await progress.phase('all by the operator', () => migrate(server, dir, 2));
      if (moved.migrations.some(({ outcome }) => outcome !== 'succeeded'))
        throw wrong(JSON.stringify(moved.migrations));
      await expectStoredBy(server, 2);
      const samples: Sample[] = [];
      for (const key of [1, 2, 1] as const) {
        await server.writeWith(key);
        samples.push(await progress.phase('a sample by kubectl', () => replaceByKubectl(server, kubectl)));
      }
      const objects = moved.migrations.reduce((sum, { done = 0 }) => sum + done, 0);
      const ours = objects / moved.seconds;
      const theirs = median(samples.map((sample) => sample.objects / sample.seconds));
      for (const sample of samples) progress.note(row('kubectl', sample.objects, sample.seconds));
      progress.note(row('operator', objects, moved.seconds, `   ${(moved.rssBytes / 1e6).toFixed(0)} MB`));
      return {
        seconds: rounded(moved.seconds),
        objects,
        perSecond: rounded(ours, 0),
        kubectlPerSecond: rounded(theirs, 0),
        kubectlRatio: rounded(ours / theirs),
        operatorRssBytes: moved.rssBytes,
      };
    } finally {
      await server.stop();
    }
  } finally {
    await workplace.remove();
    await rm(dir, { recursive: true, force: true });
  }
};
