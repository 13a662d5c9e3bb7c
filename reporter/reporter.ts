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

/** From the start of a tick to that of the next: never longer than the interval, so that it bounds how late a failure is told. */
export const gapMs = (intervalMs: number, random: number): number => intervalMs * (0.9 + 0.1 * random);

/** How often it is looked whether there are other sockets, milliseconds. */
const lookMs = 500;

/** From tick to tick as long as nothing has been delivered of these sockets, milliseconds. */
const newsMs = 1_000;

const isSame = (one: readonly PluginSocket[] | undefined, other: readonly PluginSocket[] | undefined): boolean =>
  one?.map(({ path }) => path).join() === other?.map(({ path }) => path).join();

/** Probes and reports, tick for tick, until `signal`; whatever fails, the next tick comes. */
export const runReporter = async (options: ReporterOptions): Promise<void> => {
  const { source, prober, delivery, intervalMs, random, events, log, signal } = options;
  /** Whether the API server holds nothing of ours, as far as is known. */
  let isTakenBack = false;
  let asked: readonly PluginSocket[] | undefined;
  /** Whether it is not known yet what these sockets are like, to those who read reports. */
  let isNews = true;
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
      isNews = false;
      return;
    }
    try {
      await delivery.deliver(probes.map(({ report }) => report));
      events.delivered();
      isTakenBack = probes.length === 0;
      isNews = false;
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
    isNews ||= !isSame(sockets, asked);
    asked = sockets;
    if (sockets === undefined) return;
    const probes = await probe(sockets);
    events.probed(probes);
    tellFindings(probes);
    await deliver(probes);
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
    await rest(begin + gapMs(isNews ? Math.min(intervalMs, newsMs) : intervalMs, random()));
  }
  prober.close();
  delivery.close();
};
