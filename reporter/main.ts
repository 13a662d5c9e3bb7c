import { endSignal } from '../common/endSignal.ts';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { createLog } from '../common/log.ts';
import { createDelivery } from './delivery.ts';
import { parseFlags, type Settings, usage } from './flags.ts';
import { readAccount, readKubeconfig } from './kubeconfig.ts';
import { createProber } from './prober.ts';
import { type ReporterEvents, runReporter } from './reporter.ts';
import { fixedSockets, socketsInFile } from './socketSource.ts';

const uncounted: ReporterEvents = { probed: () => {}, delivered: () => {}, dropped: () => {} };

/** Loaded on demand: the default, no metrics, is to start quickly. */
const startMetrics = async ({ metricsAddress }: Settings) => {
  if (metricsAddress === undefined) return undefined;
  const [{ createMetrics }, { serveHealth }] = await Promise.all([
    import('./metrics.ts'),
    import('../common/metricsServer.ts'),
  ]);
  const metrics = createMetrics();
  return { metrics, ...(await serveHealth(metricsAddress, metrics.render, () => true)) };
};

/** Reports until the process is told to end. */
const report = async (settings: Settings): Promise<void> => {
  const { sockets, kubeconfig, intervalMs, readTimeoutMs } = settings;
  const log = createLog(settings.logLevel);
  const signal = endSignal();
  const health = await startMetrics(settings);
  const now = (): Date => new Date();
  log.info({ node: settings.nodeName, intervalMs, metricsPort: health?.port }, 'reporter started');
  await runReporter({
    source:
      'file' in sockets
        ? socketsInFile(sockets.file, (reason) => log.warn({ reason }, 'could not read which sockets there are'))
        : fixedSockets(sockets),
    prober: createProber(readTimeoutMs, now),
    delivery: createDelivery({
      ...settings,
      access: kubeconfig === undefined ? readAccount : () => readKubeconfig(kubeconfig),
      now,
    }),
    intervalMs,
    random: Math.random,
    events: health?.metrics ?? uncounted,
    log,
    signal,
  });
  health?.close();
  log.info('ended');
};

const main = async (): Promise<number> => {
  try {
    const settings = parseFlags(process.argv.slice(2));
    if (settings === 'help') process.stdout.write(usage);
    else await report(settings);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return error instanceof UsageFailure ? 2 : 1;
  }
};

process.exitCode = await main();
