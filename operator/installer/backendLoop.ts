import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import type { Wake } from '../../common/wake.ts';
import { watchList } from '../../common/watchList.ts';
import type { KmsBackend, KmsBackendNodeStatus } from '../kmsBackend.ts';
import type { Plugin } from './plugin.ts';
import type { Reporter } from './report.ts';
import type { Wish } from './wish.ts';
import type { WishFile } from './wishFile.ts';

export interface BackendLoopOptions {
  readonly node: string;
  readonly clients: readonly KubeClient[];
  readonly wishFile: WishFile;
  readonly plugin: Plugin;
  readonly reporter: Reporter;
  /** Hash of the configuration that the API server of the node works with, alone; undefined before the first. */
  readonly servedHash: () => string | undefined;
  /** Rung where the plugin was told something, so that it is asked, or another configuration is served. */
  readonly wake: Wake;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const resyncMs = 30_000;
const soonMs = 100;
const laterMs = 2_000;
/** How often the plugin is asked soon after it was told something, until only later. */
const soonTimes = 50;

type ReportedKeys = NonNullable<KmsBackendNodeStatus['keys']>;

/**
 * What to report of a wish's keys: each with the version that its key_id belongs to. A plugin that was told of another
 * version still has the old key_id for a moment, and one that has a fault may not answer: then the last report stands.
 * @param keyIDs what the plugin says by now; undefined where it does not answer well.
 * @returns whether something is still to come, too
 */
export const judgeKeys = (
  wish: Wish,
  keyIDs: ReadonlyMap<number, string | undefined>,
  reported: ReportedKeys,
): { readonly keys: ReportedKeys; readonly complete: boolean } => {
  const judged = wish.keys.map(({ number, version }) => {
    const keyID = keyIDs.get(number);
    const before = reported[number];
    const isOld = before !== undefined && before.version < version && before.keyID === keyID;
    if (keyID === undefined || isOld) return { number, entry: before, done: false };
    return { number, entry: { version, keyID }, done: true };
  });
  return {
    keys: Object.fromEntries(judged.flatMap(({ number, entry }) => (entry === undefined ? [] : [[number, entry]]))),
    complete: judged.every(({ done }) => done),
  };
};

/** Brings versions and faults of the backend to the plugin at once, and tells what the plugin made of it; until `signal`. */
export const runBackendLoop = async (options: BackendLoopOptions): Promise<void> => {
  const { node, clients, wishFile, plugin, reporter, servedHash, wake, log, signal } = options;
  let backend: KmsBackend | undefined;

  const hear = async (heard: KmsBackend): Promise<void> => {
    backend = heard;
    const before = wishFile.wish;
    await wishFile.hearBackend(heard.spec ?? {});
    if (wishFile.wish !== before) {
      log.info({ keys: wishFile.wish.keys, faults: wishFile.wish.faults }, 'told the plugin');
    }
    wake.ring();
  };

  const watching = watchList<KmsBackend>({
    clients,
    path: '/apis/understudy.dev/v1alpha1/kmsbackends',
    query: { fieldSelector: 'metadata.name=cluster' },
    changed: ([found]) => {
      if (found === undefined) return;
      hear(found).catch((error: unknown) => log.error({ reason: messageOf(error) }, 'could not write the wish'));
    },
    failed: (reason) => log.warn({ reason }, 'could not watch kmsbackends'),
    signal,
  });

  /** @returns whether all is as it was told. */
  const report = async (told: KmsBackend): Promise<boolean> => {
    // Where it could not be written at once.
    await wishFile.hearBackend(told.spec ?? {});
    const { wish } = wishFile;
    const reported = told.status?.nodes?.[node];
    const keyIDs = await Promise.all(
      wish.keys.map(async ({ number }) => [number, await plugin.keyIDOf(number).catch(() => undefined)] as const),
    );
    const { keys, complete } = judgeKeys(wish, new Map(keyIDs), reported?.keys ?? {});
    const configHash = servedHash();
    const status = {
      observedGeneration: told.metadata?.generation ?? 0,
      ...(Object.keys(keys).length > 0 && { keys }),
      ...(configHash && { configHash }),
    };
    if (isDeepStrictEqual(status, reported)) return complete;
    await reporter.backendStatus(status);
    return complete;
  };

  for (let tries = 0; !signal.aborted; tries++) {
    let complete = true;
    const told = backend;
    if (told !== undefined) {
      complete = await report(told).catch((error: unknown) => {
        log.warn({ reason: messageOf(error) }, 'could not report what this node serves');
        return false;
      });
    }
    if (complete) tries = 0;
    await wake.wait(complete ? resyncMs : tries < soonTimes ? soonMs : laterMs, signal);
  }
  await watching;
};
