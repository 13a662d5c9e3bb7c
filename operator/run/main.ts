import { hostname } from 'node:os';
import { createLog } from '../../common/log.ts';
import { openMigrator } from '../migration/index.ts';
import { endSignal } from './endSignal.ts';
import { operatorName, operatorNamespace } from './events.ts';
import { clientOf, loadConfig } from './kubeConfig.ts';
import { whileLeading } from './lease.ts';
import { runOperator } from './operator.ts';
import { createWake } from './wake.ts';

/** Runs the operator in its pod, until SIGTERM. @throws where it has lost its lease */
export const operatorMain = async (): Promise<void> => {
  const log = createLog();
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
      await runOperator({ config, client, migrator, wake, log, signal: leading });
    } finally {
      await migrator.close();
    }
  });
  client.close();
  log.info('ended');
};
