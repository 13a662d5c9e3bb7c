import { messageOf } from '../common/failure.ts';
import type { Log } from '../common/log.ts';
import type { Settings } from './flags.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { openKeySource } from './keySource.ts';
import { logCall } from './log.ts';
import type { OnCall } from './methods.ts';
import { watchWish } from './wishFile.ts';

export interface Plugin {
  /** Takes the sockets away, answers the calls under way (each has `timeoutMs` at most), then lets go of all it holds. */
  stop(): Promise<void>;
}

/** Loaded on demand: the default, no metrics, is to start quickly. */
const startHealth = async ({ metricsAddress }: Settings, keyIds: Keeper['keyIds'], isReady: () => boolean) => {
  if (metricsAddress === undefined) return undefined;
  const [{ createMetrics }, { serveHealth }] = await Promise.all([
    import('./metrics.ts'),
    import('../common/metricsServer.ts'),
  ]);
  const metrics = createMetrics(keyIds);
  return { onCall: metrics.onCall, ...(await serveHealth(metricsAddress, metrics.render, isReady)) };
};

/**
 * Serves KMS v2 as `settings` say. When it resolves, calls are answered.
 * @throws Failure where the keystore, the plain socket or the metrics address cannot be had.
 */
export const startPlugin = async (settings: Settings, log: Log): Promise<Plugin> => {
  const { keys, timeoutMs } = settings;
  const source = await openKeySource(keys);
  let countCall: OnCall = () => {};
  const onCall: OnCall = (report) => {
    logCall(log, report);
    countCall(report);
  };
  const sockets =
    keys.kind === 'node'
      ? { plainSocketPath: keys.plainSocketPath, socketDir: keys.socketDir }
      : { plainSocketPath: keys.socketPath, socketDir: undefined };
  const keeper = createKeeper(source, { ...sockets, timeoutMs, onCall, log });
  const health = await startHealth(settings, keeper.keyIds, keeper.isSettled);
  if (health !== undefined) countCall = health.onCall;
  const watch =
    keys.kind === 'node' && keys.socketDir !== undefined
      ? await watchWish(keys.keystoreDir, keeper.take, (error) =>
          log.error({ got: messageOf(error) }, 'could not read wish.json: going on as it last was'),
        )
      : undefined;
  const stop = async (): Promise<void> => {
    watch?.close();
    await keeper.stop();
    health?.close();
  };
  try {
    await keeper.start();
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ metricsPort: health?.port }, 'serving KMS v2');
  return { stop };
};
