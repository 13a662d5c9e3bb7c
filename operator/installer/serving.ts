import type { KubeClient } from '../../common/kubeClient.ts';
import type { Connection } from '../../common/kubeConnection.ts';
import { type ApiServerMetrics, metricsLines, parseApiServerMetrics } from '../run/apiServerMetrics.ts';

export interface Readiness {
  readonly ready: boolean;
  /** `kms-providers`, `poststarthook/rbac/bootstrap-roles`, … */
  readonly failed: readonly string[];
}

/** One kube-apiserver process that answers at this node's address, by a connection to itself. */
export interface ServingProcess extends ApiServerMetrics {
  /** Whether it says that it is ready, its KMS providers included, and which of its checks failed. */
  readiness(): Promise<Readiness>;
  /** What it says of itself by now. */
  refresh(): Promise<ApiServerMetrics>;
  /** Tells this process from others for the price of a handshake. */
  readonly session: Buffer | undefined;
  close(): void;
}

/** Whether a process serves by a configuration, and what it says where it does not. */
export interface Verdict {
  readonly serves: boolean;
  readonly said: string;
  readonly readiness: Readiness;
}

/** Asks a process whether it is ready, and has loaded the configuration of that hash. @throws where it does not answer */
export const judgeServing = async (met: ServingProcess, hash: string): Promise<Verdict> => {
  const readiness = await met.readiness();
  const known = met.configHash === hash || !readiness.ready;
  const loaded = known ? met.configHash : (await met.refresh()).configHash;
  const said = readiness.ready
    ? `it has loaded ${loaded}, not ${hash}`
    : `it is not ready (${readiness.failed.join(', ')})`;
  return { serves: readiness.ready && loaded === hash, said, readiness };
};

const metricsOf = async (connection: Connection): Promise<ApiServerMetrics> => {
  const { status, body } = await connection.ask('/metrics', metricsLines);
  if (status !== 200) throw new Error(`/metrics says ${status}`);
  return parseApiServerMetrics(body);
};

/**
 * Asks whichever process takes a new connection who it is.
 * @param known TLS sessions of processes that are not meant: where one of them answers, undefined.
 * @throws where none answers.
 */
export const askServing = async (client: KubeClient, known?: Buffer): Promise<ServingProcess | undefined> => {
  const connection = await client.connect(known);
  try {
    if (known !== undefined && connection.sessionReused) {
      connection.close();
      return undefined;
    }
    const metrics = await metricsOf(connection);
    return {
      ...metrics,
      readiness: async () => {
        const { status, body } = await connection.ask('/readyz?verbose');
        const failed = [...body.matchAll(/^\[-\](\S+)/gm)].map(([, check = '']) => check);
        return { ready: status === 200, failed };
      },
      refresh: () => metricsOf(connection),
      session: connection.session(),
      close: connection.close,
    };
  } catch (error) {
    connection.close();
    throw error;
  }
};
