import { hostname } from 'node:os';
import { endSignal } from '../../common/endSignal.ts';
import type { TcpAddress } from '../../common/flagValues.ts';
import { clientOf, loadConfig } from '../../common/kubeConfig.ts';
import { createLog } from '../../common/log.ts';
import { serveHealth } from '../../common/metricsServer.ts';
import { createWake } from '../../common/wake.ts';
import { followClusterOperator } from '../clusterOperator/follow.ts';
import { runHealthLoop } from '../health/healthLoop.ts';
import { createHealthMetrics } from '../health/metrics.ts';
import { openMigrator } from '../migration/index.ts';
import { operatorName, operatorNamespace } from './events.ts';
import { whileLeading } from './leading.ts';
import { runOperator } from './operator.ts';

export interface OperatorSettings {
  /** How often the health of KMS plugins is reported, milliseconds. */
  readonly healthIntervalMs: number;
  /** Where metrics are served; nowhere if undefined. */
  readonly metricsAddress: TcpAddress | undefined;
}

/** Runs the operator in its pod, until SIGTERM. @throws where it has lost its lease */
export const operatorMain = async ({ healthIntervalMs, metricsAddress }: OperatorSettings): Promise<void> => {
  const log = createLog();
  const metrics = createHealthMetrics(healthIntervalMs, () => performance.now());
  const server = metricsAddress && (await serveHealth(metricsAddress, metrics.render, () => true));
  const signal = endSignal();
  const config = loadConfig();
  const client = clientOf(config);
  log.info('operator started');
  const lease = {
    client,
    namespace: operatorNamespace,
    name: `${operatorName}-lock`,
    identity: hostname(),
    log,
    signal,
  };
  await whileLeading(lease, async (leading) => {
    const wake = createWake();
    const migrator = openMigrator(config, wake.ring);
    try {
      await Promise.all([
        runOperator({ config, client, migrator, wake, log, signal: leading }),
        runHealthLoop({ client, intervalMs: healthIntervalMs, looked: metrics.looked, log, signal: leading }),
        followClusterOperator({ client, log, signal: leading }),
      ]);
    } finally {
      await migrator.close();
    }
  });
  client.close();
  server?.close();
  log.info('ended');
};
