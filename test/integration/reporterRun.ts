import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PluginHealth, parseReports } from '../../common/kmsHealth.ts';
import { statusPath, type Target } from '../../common/kmsHealthTarget.ts';
import type { KubeAccess } from '../../common/kubeClient.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import { reporterAccount, reporterFlow, reporterPriority, reporterRules } from '../../infra/healthReporterAccess.ts';
import type { OperatorCondition } from '../../operator/observation.ts';
import { createGrpcServer } from '../../plugin/grpc/server.ts';
import { encodeStatusResponse, type StatusResponse } from '../../protos/kms/v2/messages.ts';
import { createDelivery, type DeliveryOptions } from '../../reporter/delivery.ts';
import { createProber } from '../../reporter/prober.ts';
import { runReporter } from '../../reporter/reporter.ts';
import { fixedSockets, type SocketSource } from '../../reporter/socketSource.ts';
import type { TestCluster } from './operatorCluster.ts';

export const accountsPath = `/api/v1/namespaces/${reporterAccount.namespace}/serviceaccounts`;
const flowControl = '/apis/flowcontrol.apiserver.k8s.io/v1';
const rbac = '/apis/rbac.authorization.k8s.io/v1';

/** What answers at `kms-1.sock`. */
export interface StandInPlugin {
  readonly dir: string;
  /** What it answers from now on; well where nothing is given. */
  answer(changes?: Partial<StatusResponse>): void;
  remove(): Promise<void>;
}

const well: StatusResponse = { version: 'v2', healthz: 'ok', keyId: 'kek-1' };

export const startPlugin = async (): Promise<StandInPlugin> => {
  const dir = await mkdtemp(join(tmpdir(), 'reporter-'));
  let status = well;
  const plugin = createGrpcServer({
    methods: new Map([['/v2.KeyManagementService/Status', () => encodeStatusResponse(status)]]),
    timeoutMs: 60_000,
    maxMessageLength: 10_000,
    onConnectionError: () => {},
  });
  await new Promise<void>((resolve) => plugin.listener.listen(join(dir, 'kms-1.sock'), resolve));
  return {
    dir,
    answer: (changes = {}) => {
      status = { ...well, ...changes };
    },
    remove: async () => {
      await plugin.drain(0);
      await rm(dir, { recursive: true });
    },
  };
};

/** The account of reporters, with what the program grants it, for a target more than its own where told. */
export const createAccount = async ({ client }: TestCluster, more: readonly Target[] = []): Promise<void> => {
  const { name } = reporterAccount;
  const create = (path: string, body: object) => client.send({ method: 'POST', path, body });
  await create(accountsPath, { metadata: { name } });
  const rules = [
    ...reporterRules,
    ...more.flatMap((target) => reporterRules.map((rule) => ({ ...rule, resources: [`${target}/status`] }))),
  ];
  await create(`${rbac}/clusterroles`, { metadata: { name }, rules });
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...reporterAccount }],
  });
  await create(`${flowControl}/prioritylevelconfigurations`, { metadata: { name }, spec: reporterPriority });
  await create(`${flowControl}/flowschemas`, { metadata: { name }, spec: reporterFlow });
};

/** A new token of the reporters' account. */
export const issueToken = async ({ client }: TestCluster): Promise<string> => {
  const { status } = await client.send<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `${accountsPath}/${reporterAccount.name}/token`,
    body: { spec: {} },
  });
  return status.token;
};

export const authorityOf = ({ config }: TestCluster): Buffer =>
  Buffer.from(config.getCurrentCluster()?.caData ?? '', 'base64');

/** Who the reporters are. */
export const accessOf = async (cluster: TestCluster): Promise<KubeAccess> => {
  const headers = { authorization: `Bearer ${await issueToken(cluster)}` };
  return {
    server: cluster.client.server,
    credentials: () => Promise.resolve({ ca: authorityOf(cluster), headers }),
  };
};

export interface RunningReporter {
  readonly node: string;
  readonly counts: { delivered: number; dropped: number };
  stop(): Promise<void>;
}

export const reporterIntervalMs = 100;

export interface ReporterRun extends Partial<DeliveryOptions> {
  readonly keys?: readonly string[];
  /** Where the sockets are. */
  readonly dir: string;
  /** In place of `keys`: asked at every tick. */
  readonly source?: SocketSource;
  readonly intervalMs?: number;
}

/** A reporter in this process that ticks every tenth of a second. */
export const startReporter = async (cluster: TestCluster, run: ReporterRun): Promise<RunningReporter> => {
  const { keys = ['1'], dir, nodeName = `node-${randomUUID().slice(0, 8)}`, now = () => new Date(), ...more } = run;
  const sockets = keys.map((keyID) => ({ keyID, path: join(dir, `kms-${keyID}.sock`) }));
  const access = await accessOf(cluster);
  const controller = new AbortController();
  const counts = { delivered: 0, dropped: 0 };
  const running = runReporter({
    source: run.source ?? fixedSockets(sockets),
    prober: createProber(5_000, now),
    delivery: createDelivery({
      nodeName,
      target: 'kubeapiservers',
      reportTo: 'conditions',
      conditionStatus: 'fixed',
      writeTimeoutMs: 2_000,
      access: async () => ({ server: access.server, credentials: await access.credentials() }),
      now,
      ...more,
    }),
    intervalMs: run.intervalMs ?? reporterIntervalMs,
    random: Math.random,
    events: {
      probed: () => {},
      delivered: () => {
        counts.delivered += 1;
      },
      dropped: () => {
        counts.dropped += 1;
      },
    },
    log: createLog(process.env.LOG_LEVEL ?? 'silent'),
    signal: controller.signal,
  });
  return {
    node: nodeName,
    counts,
    stop: async () => {
      controller.abort();
      await running;
    },
  };
};

export interface Operand {
  readonly metadata: {
    readonly managedFields: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly subresource?: string;
    }[];
  };
  readonly status?: {
    readonly conditions?: readonly OperatorCondition[];
    readonly encryptionStatus?: { readonly healthReports?: readonly Readonly<Record<string, unknown>>[] };
    readonly oauthAPIServer?: Operand['status'];
  };
}

export const readOperand = ({ client }: TestCluster, target: Target = 'kubeapiservers'): Promise<Operand> =>
  client.send({ method: 'GET', path: statusPath(target).replace(/\/status$/, '') });

export const reportOf = async (
  cluster: TestCluster,
  node: string,
  target?: Target,
): Promise<OperatorCondition | undefined> =>
  (await readOperand(cluster, target)).status?.conditions?.find(({ type }) => type === `KMSHealthReporter_${node}`);

export const see = <T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 10_000): Promise<T> =>
  waitFor(probe, { what, timeoutMs, intervalMs: 20, next: 'see the log (LOG_LEVEL=debug)' });

/** Waits for a report of a node. */
export const seeReport = (
  cluster: TestCluster,
  node: string,
  wanted: (reports: readonly PluginHealth[]) => boolean = () => true,
  target?: Target,
): Promise<{ readonly condition: OperatorCondition; readonly reports: readonly PluginHealth[] }> =>
  see(`the report of ${node}`, async () => {
    const condition = await reportOf(cluster, node, target);
    const reports = parseReports(condition?.message);
    return condition && reports && wanted(reports) ? { condition, reports } : undefined;
  });
