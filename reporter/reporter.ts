import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../common/failure.ts';
import type { Log } from '../common/log.ts';
import type { Delivery } from './delivery.ts';
import type { Probe, Prober } from './prober.ts';
import type { PluginSocket } from './socket.ts';
import type { SocketSource } from './socketSource.ts';

/** What happens in a reporter, for whoever counts. */
export interface ReporterEvents {
  probed(results: readonly Probe[]): void;
  delivered(): void;
  dropped(): void;
}

export interface ReporterOptions {
  readonly source: SocketSource;
  readonly prober: Prober;
  readonly delivery: Delivery;
  readonly intervalMs: number;
  /** Less than 1, at least 0. */
  readonly random: () => number;
  readonly events: ReporterEvents;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * `news`: nothing has been delivered of these sockets yet. `spread`: it has just been, as perhaps on all nodes at once. `steady`:
 * after that.
 */
export type Phase = 'news' | 'spread' | 'steady';

/** From tick to tick while there are news, milliseconds. */
const newsMs = 1_000;

/**
 * From the start of a tick to that of the next, milliseconds: never longer than the interval, so that it bounds how late a failure
 * is told, and at another moment than on other nodes, which all write to one object.
 */
export const gapMs = (phase: Phase, intervalMs: number, random: number): number => {
  if (phase === 'spread') return intervalMs * random;
  const gap = phase === 'news' ? Math.min(intervalMs, newsMs) : intervalMs;
  return gap * (0.9 + 0.1 * random);
};

/** How often it is looked whether there are other sockets, milliseconds. */
const lookMs = 500;

const isSame = (one: readonly PluginSocket[] | undefined, other: readonly PluginSocket[] | undefined): boolean =>
  one?.map(({ path }) => path).join() === other?.map(({ path }) => path).join();

/** Probes and reports, tick for tick, until `signal`; whatever fails, the next tick comes. */
export const runReporter = async (options: ReporterOptions): Promise<void> => {
  const { source, prober, delivery, intervalMs, random, events, log, signal } = options;
  /** Whether the API server holds nothing of ours, as far as is known. */
  let isTakenBack = false;
  let asked: readonly PluginSocket[] | undefined;
  let phase: Phase = 'news';
  let lastFailure: string | undefined;
  let lastFindings = '';

  const probe = async (sockets: readonly PluginSocket[]): Promise<readonly Probe[]> => {
    const probes = await prober.probeAll(sockets);
    // A key that was given up while it was being asked has no socket any more, and nothing is wrong.
    const still = new Set((await source.current())?.map(({ keyID }) => keyID));
    return probes.filter(({ report }) => still.has(report.keyID));
  };

  const tellFindings = (probes: readonly Probe[]): void => {
    const findings = probes.map(({ report: { keyID, kekID, status, detail } }) => ({ keyID, kekID, status, detail }));
    const text = JSON.stringify(findings);
    if (text !== lastFindings) log.info({ findings }, 'found');
    lastFindings = text;
  };

  const deliver = async (probes: readonly Probe[]): Promise<void> => {
    if (probes.length === 0 && isTakenBack) {
      phase = 'steady';
      return;
    }
    try {
      await delivery.deliver(probes.map(({ report }) => report));
      events.delivered();
      isTakenBack = probes.length === 0;
      if (phase === 'news') phase = 'spread';
      if (lastFailure !== undefined) log.info('delivered again');
      lastFailure = undefined;
    } catch (error) {
      events.dropped();
      isTakenBack = false;
      const reason = messageOf(error);
      if (reason !== lastFailure) log.warn({ reason }, 'could not deliver a report; the next one will be newer');
      lastFailure = reason;
    }
  };

  const tick = async (): Promise<void> => {
    const sockets = await source.current();
    if (!isSame(sockets, asked)) phase = 'news';
    asked = sockets;
    if (sockets === undefined) return;
    const probes = await probe(sockets);
    events.probed(probes);
    tellFindings(probes);
    await deliver(probes);
  };

  const nextGapMs = (): number => {
    const gap = gapMs(phase, intervalMs, random());
    if (phase === 'spread') phase = 'steady';
    return gap;
  };

  /** Until it is time, or there are other sockets. */
  const rest = async (due: number): Promise<void> => {
    while (!signal.aborted) {
      const leftMs = due - performance.now();
      await sleep(Math.max(Math.min(leftMs, lookMs), 0), undefined, { signal }).catch(() => {});
      if (leftMs <= lookMs || !isSame(await source.current(), asked)) return;
    }
  };

  while (!signal.aborted) {
    const begin = performance.now();
    await tick().catch((error: unknown) => log.error({ err: error }, 'could not do a tick'));
    await rest(begin + nextGapMs());
  }
  prober.close();
  delivery.close();
};
