import { isIP } from 'node:net';
import { endSignal } from '../common/endSignal.ts';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { tcpAddressOf, wrong } from '../common/flagValues.ts';
import { parseGoFlags } from '../common/goFlags.ts';
import { clientOf, loadConfig } from '../common/kubeConfig.ts';
import { createLog } from '../common/log.ts';
import { serveHealth } from '../common/metricsServer.ts';
import { runController } from './controller.ts';

const usage = `The controller of hollow nodes: runs until SIGTERM.

  --node-address   InternalIP of the nodes that kwok simulates
  --health-addr    host:port of /healthz and /readyz

Who it is comes from KUBECONFIG, or from the service account of its pod.
`;

const settingsOf = (args: readonly string[]) => {
  const values = parseGoFlags(args, {
    'node-address': { type: 'string', default: '127.0.0.1' },
    'health-addr': { type: 'string', default: '127.0.0.1:0' },
    help: { type: 'boolean', short: 'h' },
  });
  const nodeAddress = values['node-address'];
  if (isIP(nodeAddress) === 0)
    throw wrong('node-address', nodeAddress, 'it is no IP address', 'give one, such as 10.0.0.1');
  return { help: values.help === true, nodeAddress, healthAddress: tcpAddressOf('health-addr', values['health-addr']) };
};

const main = async (args: readonly string[]): Promise<void> => {
  const { help, nodeAddress, healthAddress } = settingsOf(args);
  if (help) {
    process.stdout.write(usage);
    return;
  }
  const log = createLog();
  const signal = endSignal();
  let isReady = false;
  const health = await serveHealth(
    healthAddress,
    async () => '',
    () => isReady,
  );
  const client = clientOf(loadConfig());
  const ready = (): void => {
    isReady = true;
  };
  log.info({ nodeAddress }, 'controller of hollow nodes started');
  await runController({ client, nodeAddress, log, ready, signal });
  client.close();
  health.close();
  log.info('ended');
};

try {
  await main(process.argv.slice(2));
  // What is still open, such as a connection that is being made, keeps nobody.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof UsageFailure ? error.message : messageOf(error)}\n`);
  process.exit(error instanceof UsageFailure ? 2 : 1);
}
