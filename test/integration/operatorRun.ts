import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseStoredValue, type StoredValue } from '../../cluster/encryptedObject.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import { createWake } from '../../common/wake.ts';
import { openMigrator } from '../../operator/migration/index.ts';
import type { OperatorCondition, Secret } from '../../operator/observation.ts';
import { runOperator } from '../../operator/run/operator.ts';
import { startInstaller } from './installerRun.ts';
import type { TestCluster } from './operatorCluster.ts';

export interface Running {
  stop(): Promise<void>;
}

/** Runs the operator in this process, without its lease. */
export const startOperator = ({ config }: TestCluster): Running => {
  const controller = new AbortController();
  const log = createLog();
  log.level = process.env.LOG_LEVEL ?? 'silent';
  const wake = createWake();
  const client = clientOf(config);
  const migrator = openMigrator(config, wake.ring);
  const running = runOperator({ config, client, migrator, wake, log, signal: controller.signal });
  return {
    stop: async () => {
      controller.abort();
      await running;
      await migrator.close();
      client.close();
    },
  };
};

export const startInstallers = ({ nodes }: TestCluster): Running => {
  const installers = nodes.map((node) =>
    startInstaller(
      node,
      nodes.filter((other) => other !== node).map(({ client }) => client),
    ),
  );
  return { stop: async () => void (await Promise.all(installers.map((installer) => installer.stop()))) };
};

/** What a user patches. */
export const patchEncryption = (cluster: TestCluster, encryption: object | null): Promise<unknown> =>
  cluster.client.send({
    method: 'PATCH',
    path: '/apis/config.openshift.io/v1/apiservers/cluster',
    body: { spec: { encryption } },
    contentType: 'application/merge-patch+json',
  });

/** A patch to KMS, as OpenShift insists on it. */
export const kmsEncryption = (keyPath: string, secretName = 'vault-approle'): object => ({
  type: 'KMS',
  kms: {
    type: 'Vault',
    vault: {
      kmsPluginImage: `understudy.local/kms-plugin@sha256:${'0'.repeat(64)}`,
      vaultAddress: 'https://vault.example:8200',
      vaultKeyPath: keyPath,
      authentication: { type: 'AppRole', appRole: { secret: { name: secretName } } },
    },
  },
});

export const conditionsOf = async ({ client }: TestCluster): Promise<readonly OperatorCondition[]> => {
  const path = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';
  const { status } = await client.send<{ status?: { conditions?: readonly OperatorCondition[] } }>({
    method: 'GET',
    path,
  });
  return status?.conditions ?? [];
};

/** Waits until a condition is as wanted; fails with what the conditions were. */
export const seeCondition = async (
  cluster: TestCluster,
  type: string,
  wanted: Partial<OperatorCondition>,
  timeoutMs = 60_000,
): Promise<OperatorCondition> =>
  waitFor(
    async () => {
      const conditions = await conditionsOf(cluster);
      const found = conditions.find((condition) => condition.type === type);
      const fits = Object.entries(wanted).every(
        ([field, value]) => found?.[field as keyof OperatorCondition] === value,
      );
      if (found !== undefined && fits) return found;
      throw new Error(JSON.stringify(conditions));
    },
    { what: `${type} ${JSON.stringify(wanted)}`, timeoutMs, intervalMs: 50, next: 'see the log' },
  );

export const keySecretsOf = async ({ client }: TestCluster): Promise<readonly Secret[]> => {
  const path = '/api/v1/namespaces/openshift-config-managed/secrets';
  const { items } = await client.send<{ items: readonly Secret[] }>({ method: 'GET', path });
  return items.filter(({ metadata }) => metadata.name.startsWith('encryption-key-openshift-kube-apiserver-'));
};

const etcdRange = (url: string, prefix: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const end = `${prefix.slice(0, -1)}0`;
    const base64 = (key: string): string => Buffer.from(key).toString('base64');
    const outgoing = request(`${url}/v3/kv/range`, { method: 'POST' }, (response) =>
      text(response).then(resolve, reject),
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ key: base64(prefix), range_end: base64(end) }));
  });

const storedValues = async ({ etcd }: TestCluster): Promise<readonly StoredValue[]> => {
  const answers = await Promise.all(
    ['secrets', 'configmaps'].map((resource) => etcdRange(etcd.url, `/registry/${resource}/`)),
  );
  return answers.flatMap((answer) => {
    const { kvs = [] } = JSON.parse(answer) as { readonly kvs?: readonly { readonly value: string }[] };
    return kvs.map(({ value }) => parseStoredValue(Buffer.from(value, 'base64')));
  });
};

/** How all secrets and config maps lie in etcd: how many by provider name, '' for plain ones. */
export const storedBy = async (cluster: TestCluster): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (const stored of await storedValues(cluster)) {
    const name = stored.encrypted ? stored.key : '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/** The key_ids that all secrets and config maps are encrypted under, each once. */
export const kekIDsOf = async (cluster: TestCluster): Promise<readonly string[]> => [
  ...new Set((await storedValues(cluster)).flatMap((stored) => (stored.encrypted ? (stored.kekID ?? []) : []))),
];
