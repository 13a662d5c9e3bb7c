import { createHash, randomBytes } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import type { Log } from '../../common/log.ts';
import type { Wake } from '../../common/wake.ts';
import { watchList } from '../../common/watchList.ts';
import { conditionsAfterFailure, decide, resyncMs } from '../decide.ts';
import type { Migrator } from '../migration/index.ts';
import { encryptedResources } from '../names.ts';
import type { ApiServerObservation, Observation } from '../observation.ts';
import { type Actor, applyConditions, performAll } from './act.ts';
import { type ApiServerProbe, probeApiServer } from './apiServers.ts';
import { type ControlPlaneNode, type ObservedObjects, readObjects, watchedCollections } from './objects.ts';

export interface OperatorOptions {
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly migrator: Migrator;
  /** Rung where something may have changed. */
  readonly wake: Wake;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const apiPort = 6443;
/** How soon API servers are asked again that are not where they should be. */
const pollMs = 150;
/** Objects are read again at the next look after this time also where no watch tells of a change: not all are watched. */
const believedMs = 1_000;
const firstRetryMs = 200;
const longestRetryMs = 5_000;

const keyIDHash = (keyID: string): string => createHash('sha256').update(keyID).digest('hex');

/** Whether a plugin serves a key_id that the API server of its node has not seen. */
export const isRotationUnseen = (
  { backend }: Pick<Observation, 'backend'>,
  { node, keyIDHashes }: ApiServerObservation,
): boolean => {
  const keys = backend?.status?.nodes?.[node]?.keys ?? {};
  return Object.entries(keyIDHashes).some(([provider, hash]) => {
    const key = keys[provider.split('_')[0] ?? ''];
    return key !== undefined && keyIDHash(key.keyID) !== hash;
  });
};

/**
 * An API server works with a configuration only once its node's installer says that no other one serves there any more: a client
 * of the old one would still write as the old one does.
 */
export const oncePredecessorsEnded = (
  { backend }: Pick<Observation, 'backend'>,
  servers: readonly ApiServerObservation[],
): readonly ApiServerObservation[] =>
  servers.map((server) => {
    const told = backend?.status?.nodes?.[server.node]?.configHash;
    return told === server.configHash ? server : { ...server, configHash: undefined };
  });

const urlOf = (address: string): string => `https://${address.includes(':') ? `[${address}]` : address}:${apiPort}`;

/** Asks the API servers of all control-plane nodes, and remembers who they were. */
const apiServerAsker = (config: KubeConfig) => {
  const probes = new Map<string, ApiServerProbe>();
  const unseen = new Set<string>();

  const probeOf = (name: string, address: string): ApiServerProbe => {
    const key = `${name}/${address}`;
    const known = probes.get(key);
    if (known !== undefined) return known;
    const probe = probeApiServer(name, clientOf(config, urlOf(address)));
    probes.set(key, probe);
    return probe;
  };
  const ask = async (node: ControlPlaneNode, objects: ObservedObjects): Promise<readonly ApiServerObservation[]> => {
    const { name, address } = node;
    if (address === undefined) {
      return [{ node: name, configHash: undefined, keyIDHashes: {}, failure: 'its node has no InternalIP' }];
    }
    const observed = await probeOf(name, address).observe(unseen.has(name));
    if (observed.some((server) => isRotationUnseen(objects, server))) unseen.add(name);
    else unseen.delete(name);
    return observed;
  };
  return {
    askAll: async (objects: ObservedObjects): Promise<readonly ApiServerObservation[]> =>
      (await Promise.all(objects.controlPlane.map((node) => ask(node, objects)))).flat(),
    close: (): void => {
      for (const probe of probes.values()) probe.close();
    },
  };
};

/** Only where a text of all objects is not as it was. */
const whenOther = (textOf: (object: object) => string, changed: () => void) => {
  let last: string | undefined;
  return (objects: readonly object[]): void => {
    const text = objects.map(textOf).join('\n');
    if (text !== last) changed();
    last = text;
  };
};

/** Observes, decides, acts, again; until `signal`. */
export const runOperator = async (options: OperatorOptions): Promise<void> => {
  const { config, client, migrator, wake, log, signal } = options;
  const actor: Actor = { client, migrator, log };
  const asker = apiServerAsker(config);
  let objects: ObservedObjects | undefined;
  /** Whether they may have changed since they were read. */
  let stale = true;
  const changed = (): void => {
    stale = true;
    wake.ring();
  };

  const watching = watchedCollections.map(({ path, query = {}, textOf }) =>
    watchList<object>({
      clients: [client],
      path,
      query,
      changed: textOf === undefined ? changed : whenOther(textOf, changed),
      failed: (reason) => log.warn({ path, reason }, 'could not watch'),
      signal,
    }),
  );

  let readAt = 0;
  const read = async (): Promise<ObservedObjects> => {
    if (objects !== undefined && !stale && performance.now() - readAt < believedMs) return objects;
    stale = false;
    readAt = performance.now();
    objects = undefined;
    objects = await readObjects(client);
    return objects;
  };

  const observe = async (): Promise<Observation> => {
    const known = await read();
    const [servers, migrations] = await Promise.all([asker.askAll(known), migrator.observe(encryptedResources)]);
    return {
      ...known,
      controlPlane: known.controlPlane.map(({ name }) => name),
      apiServers: oncePredecessorsEnded(known, servers),
      migrations,
    };
  };

  let said = '';
  /** @returns how long nothing is to be done, milliseconds */
  const step = async (): Promise<number> => {
    const observation = await observe();
    const now = Date.now();
    const decision = decide(observation, now, randomBytes);
    const state = JSON.stringify({ converged: decision.converged, apiServers: observation.apiServers });
    if (state !== said) log.info({ converged: decision.converged, apiServers: observation.apiServers }, 'observed');
    said = state;
    const failures = await performAll(actor, decision.actions);
    const observed = observation.operator?.conditions ?? [];
    const conditions = failures.reduce(
      (sets, failure) => conditionsAfterFailure({ ...decision, conditions: sets }, failure, observed, now),
      decision.conditions,
    );
    await applyConditions(actor, conditions);
    const hasActed = decision.actions.length > 0 || conditions.some((set) => set.changed);
    if (hasActed) stale = true;
    if (failures.length > 0) throw new Error(failures.map(({ message }) => message).join('; '));
    if (decision.actions.length > 0) return 0;
    const isWaiting = !decision.converged && decision.recheckAfterMs < resyncMs;
    return isWaiting ? Math.min(decision.recheckAfterMs, pollMs) : decision.recheckAfterMs;
  };

  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let waitMs: number;
    try {
      waitMs = await step();
      retryMs = firstRetryMs;
    } catch (error) {
      if (signal.aborted) break;
      log.warn({ reason: messageOf(error), retryMs }, 'trying again');
      stale = true;
      waitMs = retryMs;
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
    await wake.wait(waitMs, signal);
  }
  await Promise.all(watching);
  asker.close();
};
