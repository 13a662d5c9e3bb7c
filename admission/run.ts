import { admissionPaths } from '../common/admissionWebhook.ts';
import { clientOf, loadConfig } from '../common/kubeConfig.ts';
import type { Log } from '../common/log.ts';
import { serveHealth } from '../common/metricsServer.ts';
import type { Settings } from './flags.ts';
import { createMetrics } from './metrics.ts';
import { followNamespaces } from './namespaces/follow.ts';
import { namespaceHandler } from './namespaces/handler.ts';
import { keepLabels } from './namespaces/label.ts';
import { excludedProblems } from './placement/excluded.ts';
import { placeDaemonSet, placePod } from './placement/placePod.ts';
import { placementHandler } from './placementHandler.ts';
import type { Handler } from './review.ts';
import { type AdmissionServer, type ServingCertificate, serveAdmission } from './server.ts';
import { keepCaBundle } from './tls/caBundle.ts';
import { bundleOf, lifeOf } from './tls/material.ts';
import { keepTlsSecret } from './tls/secret.ts';
import { createAllocator } from './uids/allocator.ts';
import { identifyAtRandom, identifyByNamespace, uidHandler } from './uids/handler.ts';

/** Serves until `signal`. @throws Failure where an address cannot be had */
export const runAdmission = async (settings: Settings, log: Log, signal: AbortSignal): Promise<void> => {
  const { uids, placement } = settings;
  const client = clientOf(loadConfig());
  const metrics = createMetrics();
  const handlers = new Map<string, Handler>();
  const loops: Promise<void>[] = [];

  if (uids === 'random') handlers.set(admissionPaths.uids, uidHandler(identifyAtRandom(Math.random)));
  if (uids === 'openshift' || placement) {
    const namespaces = followNamespaces(client, log, signal);
    if (uids === 'openshift') {
      const allocator = createAllocator({ namespaces, client, log });
      handlers.set(admissionPaths.uids, uidHandler(identifyByNamespace(allocator)));
      loops.push(allocator.run(signal));
    }
    if (placement) {
      handlers.set(admissionPaths.placement, placementHandler({ placePod, placeDaemonSet }, namespaces));
      handlers.set(admissionPaths.namespaces, namespaceHandler(excludedProblems));
      loops.push(keepLabels(namespaces, client, log, signal));
    }
  }

  let server: AdmissionServer | undefined;
  let expiresAt = 0;
  const isReady = (): boolean => server !== undefined && Date.now() < expiresAt;
  const health = settings.metricsAddress && (await serveHealth(settings.metricsAddress, metrics.render, isReady));
  log.info({ uids, placement, metricsPort: health?.port }, 'admission webhook started');

  const keeper = keepCaBundle(client, log, signal);
  // The first certificate is waited for; the server takes later ones while it runs.
  let current: ServingCertificate | undefined;
  const first = Promise.withResolvers<void>();
  const kept = keepTlsSecret({
    client,
    log,
    signal,
    names: settings.names,
    lifeMs: settings.certificateLifeMs,
    changed: (material) => {
      const { serving } = material;
      if (serving === undefined) return;
      keeper.use(bundleOf(material));
      expiresAt = lifeOf(serving).notAfter;
      metrics.certificate(expiresAt);
      current = serving;
      server?.use(serving);
      first.resolve();
    },
  });
  signal.addEventListener('abort', () => first.resolve(), { once: true });
  await first.promise;
  if (current !== undefined && !signal.aborted) {
    const { address } = settings;
    server = await serveAdmission({ address, serving: current, handlers, answered: metrics.answered, log });
    server.use(current);
    log.info({ port: server.port }, 'serving');
  }
  await Promise.all([kept, ...loops]);
  await server?.close();
  client.close();
  health?.close();
  log.info('ended');
};
