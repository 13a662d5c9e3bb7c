import { setTimeout as sleep } from 'node:timers/promises';
import { administratorClient, type ClusterAccess } from '../cluster/access.ts';
import { percentile, rounded } from './statistics.ts';

/** How an address answered requests that came one after the other, each by a new connection. */
export interface Answers {
  readonly asked: number;
  /** Those without an answer in 5 s, or whose connection broke. */
  readonly unanswered: number;
  /** Of all of them, until they had an answer or were given up. */
  readonly longestSeconds: number;
  readonly p99Seconds: number;
}

const pauseMs = 100;

/** Asks an API server whether it lives, until `signal`. @param host as of {@link administratorClient} */
export const askUntil = async (access: ClusterAccess, host: string, signal: AbortSignal): Promise<Answers> => {
  const seconds: number[] = [];
  let unanswered = 0;
  while (!signal.aborted) {
    const api = administratorClient(access, host);
    const begin = performance.now();
    try {
      await api.ask('GET', '/livez/ping');
    } catch {
      unanswered += 1;
    } finally {
      api.close();
    }
    seconds.push((performance.now() - begin) / 1000);
    await sleep(pauseMs);
  }
  return {
    asked: seconds.length,
    unanswered,
    longestSeconds: rounded(Math.max(...seconds)),
    p99Seconds: rounded(percentile(seconds, 0.99)),
  };
};
