import type { Logger } from 'pino';
import type { Settings } from './flags.ts';
import { createGrpcServer } from './grpc/server.ts';
import { createKeyring } from './keyring.ts';
import { openKeystore } from './keystoreFile.ts';
import { logCall } from './log.ts';
import { kmsMethods, type OnCall } from './methods.ts';
import { createKmsService } from './service.ts';
import { claimSocket } from './socket.ts';

export interface Plugin {
  /** Takes the socket away, answers the calls under way (each has `timeoutMs` at most), then lets go of all it holds. */
  stop(): Promise<void>;
}

/** Longest request: a ciphertext, a key ID, annotations (32 KiB by kube-apiserver's limits) and room for their tags; bytes. */
const longestRequest = 48 * 1024;

/** Loaded on demand: the default, no metrics, is to start quickly. */
const startHealth = async ({ metricsAddress }: Settings, writeKeyId: () => string, isReady: () => boolean) => {
  if (metricsAddress === undefined) return undefined;
  const { createMetrics, serveHealth } = await import('./metrics.ts');
  const metrics = createMetrics(writeKeyId);
  return { onCall: metrics.onCall, ...(await serveHealth(metricsAddress, metrics, isReady)) };
};

/**
 * Serves KMS v2 as `settings` say. When it resolves, calls are answered.
 * @throws Failure where the keystore, the socket or the metrics address cannot be had.
 */
export const startPlugin = async (settings: Settings, log: Logger): Promise<Plugin> => {
  const { seed, versions } = await openKeystore(settings.keystoreDir);
  const keyring = createKeyring(seed, 0, versions.get(0) ?? 1);
  let ready = false;
  const health = await startHealth(
    settings,
    () => keyring.writeKek.keyId,
    () => ready,
  );
  const onCall: OnCall = (report) => {
    logCall(log, report);
    health?.onCall(report);
  };
  const server = createGrpcServer({
    methods: kmsMethods(createKmsService(keyring), onCall),
    timeoutMs: settings.timeoutMs,
    maxMessageLength: longestRequest,
    onConnectionError: ({ message, cause }) =>
      cause === undefined
        ? log.warn({ reason: message }, 'ended a connection')
        : log.error({ reason: message, err: cause }, 'ended a connection'),
  });
  const socket = await claimSocket(server.listener, settings.socketPath).catch((error: unknown) => {
    health?.close();
    throw error;
  });
  // Too many open files, say: whoever is connected goes on being served.
  server.listener.on('error', (error) => log.error({ reason: error.message }, 'could not accept a connection'));
  ready = true;
  log.info(
    {
      socket: settings.socketPath,
      keyId: keyring.writeKek.keyId,
      keystore: settings.keystoreDir,
      metricsPort: health?.port,
    },
    'serving KMS v2',
  );
  return {
    stop: async () => {
      ready = false;
      await socket.release();
      await server.drain(settings.timeoutMs);
      health?.close();
    },
  };
};
