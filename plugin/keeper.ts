import { Failure, messageOf } from '../common/failure.ts';
import { nextExpiryMs } from './faults/decide.ts';
import type { KeySource } from './keySource.ts';
import { createServedKeys, type ServingOptions } from './servedKeys.ts';
import { nothingWished, parseWish, type Wish, wantedKeys } from './wish.ts';

/** Keeps the keys served as the last good wish has them. */
export interface Keeper {
  /** Takes another wish, as its file has it; undefined where there is no file. What cannot be read changes nothing. */
  take(text: string | undefined): void;
  /**
   * Serves what is wanted so far, and from now on what will be.
   * @throws Failure where the plain key cannot be served; what becomes of others is logged, and tried again.
   */
  start(): Promise<void>;
  /** Whether all that is wanted is served. */
  isSettled(): boolean;
  /** The key ID that Status answers now, by key number. */
  keyIds(): ReadonlyMap<number, string>;
  /** Takes all sockets away, answers the calls under way (each has `timeoutMs` at most). */
  stop(): Promise<void>;
}

export interface KeeperOptions extends Omit<ServingOptions, 'faults'> {
  readonly plainSocketPath: string | undefined;
  /** No wish is waited for if undefined. */
  readonly socketDir: string | undefined;
}

const retryMs = 1_000;
/** Node's timers take no more than 24 days; nothing is lost by a look in between. */
const longestWaitMs = 3_600_000;

type Failures = ReadonlyMap<number, unknown>;

export const createKeeper = (source: KeySource, options: KeeperOptions): Keeper => {
  const { plainSocketPath, socketDir, log } = options;
  let wish: Wish | undefined = socketDir === undefined ? nothingWished : undefined;
  const served = createServedKeys(source, { ...options, faults: () => wish?.faults ?? [] });
  let started = false;
  let stopped = false;
  let failures: Failures = new Map();
  /** Rounds that have not ended; one runs at a time. */
  let pending = 0;
  let lastRound: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const round = async (): Promise<void> => {
    if (stopped) return;
    const decided = wish ?? nothingWished;
    const decidedMs = Date.now();
    failures = await served.converge(wantedKeys(decided, plainSocketPath, socketDir, decidedMs));
    // As of the decision: a fault that ended since then is still to be undone.
    const nextMs = nextExpiryMs(decided.faults, decidedMs) ?? Number.POSITIVE_INFINITY;
    const waitMs = Math.min(nextMs - Date.now(), failures.size > 0 ? retryMs : Number.POSITIVE_INFINITY);
    clearTimeout(timer);
    if (waitMs !== Number.POSITIVE_INFINITY) timer = setTimeout(converge, Math.min(waitMs, longestWaitMs));
  };
  const queueRound = (): Promise<void> => {
    pending++;
    const ended = lastRound.then(round).finally(() => pending--);
    lastRound = ended;
    return ended;
  };
  const complained = new Map<number, string>();
  /** Once for each cause, not at every new attempt. */
  const complain = (): void => {
    for (const key of complained.keys()) if (!failures.has(key)) complained.delete(key);
    for (const [key, error] of failures) {
      if (complained.get(key) === messageOf(error)) continue;
      complained.set(key, messageOf(error));
      const { tried, got, next } =
        error instanceof Failure ? error.parts : { tried: 'serve it', got: messageOf(error), next: '' };
      log.error({ key, got, next }, `could not ${tried}`);
    }
  };
  const converge = (): void => {
    queueRound().then(complain, (error: unknown) => log.error({ err: error }, 'mistake in the plugin'));
  };

  return {
    take: (text) => {
      if (text === undefined && wish !== undefined) {
        log.error('wish.json is gone: going on as it last was');
        return;
      }
      try {
        wish = text === undefined ? nothingWished : parseWish(text);
      } catch (error) {
        log.error({ got: messageOf(error) }, 'could not read wish.json: going on as it last was');
        return;
      }
      log.info({ keys: wish.keys, faults: wish.faults.map(({ name }) => name) }, 'new wish');
      if (started) converge();
    },
    start: async () => {
      await queueRound();
      if (failures.has(0)) throw failures.get(0);
      complain();
      started = true;
    },
    isSettled: () => started && !stopped && wish !== undefined && pending === 0 && failures.size === 0,
    keyIds: served.keyIds,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await lastRound;
      await served.stop();
    },
  };
};
