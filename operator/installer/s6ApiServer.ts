import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, hasCode, messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import type { ApiServerProcess, Instance } from './apiServerProcess.ts';
import { readServiceState, type ServiceState, tellService } from './s6.ts';
import { askServing, judgeServing, type ServingProcess } from './serving.ts';

export interface S6ApiServerOptions {
  /** Folder of the services: `/run/services`. */
  readonly servicesDir: string;
  /** Names of two services that share the port. */
  readonly services: readonly [string, string];
  /** At addresses of this node, so that each of the two is met by one of them at least while both run. */
  readonly clients: readonly KubeClient[];
  /** How long a new one may take until it is ready, milliseconds. */
  readonly readyWithinMs: number;
  readonly log: Log;
}

const pollMs = 20;
/** Each connection finds one of two by chance: so many find both, or one in a thousand times not. */
const enoughConnections = 10;

/**
 * A check of a new API server that may hang for a minute, after which the process ends. kube-apiserver is a client of
 * itself, by the port that two share now: where a connection ends up at the other one, it does not know the certificate.
 * Everything in it tries again within seconds, but for these controllers, which do after three minutes.
 */
const hangingCheck = 'poststarthook/start-service-ip-repair-controllers';
/** How long that check alone may be what is missing; without bad luck it is there before others. */
const hangsAfterMs = 1_000;

interface Service {
  readonly name: string;
  readonly superviseDir: string;
  readonly state: ServiceState;
}

/** Two processes cannot have started at the same moment, and each says when it did: it is that of the nearest service. */
const serviceOf = (services: readonly Service[], startedAt: number): Service | undefined =>
  services
    .filter(({ state }) => state.pid !== undefined)
    .sort((a, b) => Math.abs(a.state.since - startedAt) - Math.abs(b.state.since - startedAt))[0];

/** kube-apiserver as two s6 services of a box, of which one runs. They share the port, so one can be there before the other goes. */
export const s6ApiServer = (options: S6ApiServerOptions): ApiServerProcess => {
  const { servicesDir, clients, log } = options;
  const superviseDirOf = (name: string): string => join(servicesDir, name, 'supervise');

  const readServices = (): Promise<readonly Service[]> =>
    Promise.all(
      options.services.map(async (name) => {
        const superviseDir = superviseDirOf(name);
        return { name, superviseDir, state: await readServiceState(superviseDir) };
      }),
    );

  /** Whoever answers at one of the addresses and is not `known`. @throws where none answers anywhere */
  const askAny = async (known?: Buffer): Promise<ServingProcess | undefined> => {
    const answers = await Promise.allSettled(clients.map((client) => askServing(client, known)));
    const met = answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
    );
    for (const superfluous of met.slice(1)) superfluous.close();
    const [first] = met;
    if (first !== undefined) return first;
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (refused !== undefined && answers.every((answer) => answer.status === 'rejected')) throw refused.reason;
    return undefined;
  };

  const untilDown = async (superviseDir: string): Promise<void> => {
    while ((await readServiceState(superviseDir)).pid !== undefined) await sleep(5);
  };

  const end = async (name: string): Promise<void> => {
    const superviseDir = superviseDirOf(name);
    await tellService(superviseDir, 'endForGood');
    await untilDown(superviseDir);
  };

  /** What each running service has loaded, by its name. */
  const askAll = async (services: readonly Service[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> => {
    const running = services.filter(({ state }) => state.pid !== undefined);
    const loaded = new Map<string, string>();
    for (let i = 0; i < (running.length > 1 ? enoughConnections : 1) && loaded.size < running.length; i++) {
      signal.throwIfAborted();
      for (const client of clients) {
        const serving = await askServing(client).catch((error: unknown) => {
          if (!hasCode(error, 'ECONNREFUSED')) log.debug({ reason: messageOf(error) }, 'no answer');
          return undefined;
        });
        if (serving === undefined) continue;
        serving.close();
        const service = serviceOf(running, serving.startedAt);
        if (service !== undefined) loaded.set(service.name, serving.configHash ?? '');
      }
    }
    return loaded;
  };

  /** Waits for a process that is not `old`, has loaded `hash` and is ready; it may be met only by chance. */
  const untilReady = async (starting: Service, old: ServingProcess | undefined, hash: string, signal: AbortSignal) => {
    const deadline = performance.now() + options.readyWithinMs;
    const tried = `start kube-apiserver with the new encryption configuration as ${starting.name}`;
    const next = 'see its log; the old one serves on';
    let said = 'it does not answer';
    let met: ServingProcess | undefined;
    let pid: number | undefined;
    let hangingSince: number | undefined;
    const startAgain = async (): Promise<void> => {
      log.info({ name: starting.name }, 'the new kube-apiserver asked the old one in its own name; starting it again');
      await tellService(starting.superviseDir, 'kill');
      while ((await readServiceState(starting.superviseDir)).pid === pid) await sleep(5);
      met?.close();
      met = undefined;
      pid = undefined;
      hangingSince = undefined;
    };
    try {
      for (;;) {
        signal.throwIfAborted();
        const state = await readServiceState(starting.superviseDir);
        if (pid !== undefined && state.pid !== pid) {
          throw new Failure({ tried, got: `it ended (${state.lastEnd})`, next });
        }
        pid = state.pid;
        try {
          met ??= await askAny(old?.session);
          if (met !== undefined && Math.abs(met.startedAt - (old?.startedAt ?? 0)) < 1) {
            met.close();
            met = undefined;
          }
          if (met !== undefined) {
            const { serves, said: says, readiness } = await judgeServing(met, hash);
            if (serves) return;
            said = says;
            const isHanging = readiness.failed.length === 1 && readiness.failed[0] === hangingCheck;
            hangingSince = isHanging ? (hangingSince ?? performance.now()) : undefined;
          }
        } catch {
          // Nobody listens yet, or the process that was met has gone: its service's state tells.
          met?.close();
          met = undefined;
        }
        if (hangingSince !== undefined && performance.now() - hangingSince > hangsAfterMs) await startAgain();
        if (performance.now() > deadline) {
          throw new Failure({ tried, got: `${said} after ${options.readyWithinMs / 1000} s`, next });
        }
        await sleep(pollMs, undefined, { signal });
      }
    } finally {
      met?.close();
    }
  };

  return {
    instances: async (signal) => {
      const services = await readServices();
      const loaded = await askAll(services, signal);
      return services
        .filter(({ state }) => state.wantedUp)
        .map(({ name, state }): Instance => ({ name, since: state.since, loaded: loaded.get(name) }));
    },
    start: () => tellService(superviseDirOf(options.services[0]), 'up'),
    end,
    restart: (name) => tellService(superviseDirOf(name), 'kill'),
    handOver: async (hash, signal) => {
      const services = await readServices();
      const serving = services.find(({ state }) => state.wantedUp);
      const idle = services.find((service) => service !== serving);
      if (idle === undefined) return;
      const old = await askAny().catch(() => undefined);
      old?.close();
      const begin = performance.now();
      await tellService(idle.superviseDir, 'up');
      try {
        await untilReady(idle, old, hash, signal);
      } catch (error) {
        await end(idle.name);
        throw error;
      }
      const readyAt = performance.now();
      if (serving !== undefined) await end(serving.name);
      const endedAt = performance.now();
      log.info(
        {
          from: serving?.name,
          to: idle.name,
          readyAfterMs: Math.round(readyAt - begin),
          endedAfterMs: Math.round(endedAt - readyAt),
        },
        'another kube-apiserver has taken over',
      );
    },
  };
};
