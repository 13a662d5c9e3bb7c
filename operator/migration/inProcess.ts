import { messageOf } from '../../common/failure.ts';
import type { MigrationObservation } from '../observation.ts';
import { type ApiClient, apiClient } from './apiClient.ts';
import { type Checkpoint, checkpointStore } from './checkpoint.ts';
import type { Credentials } from './credentials.ts';
import type { Migrator } from './migrator.ts';
import { groupVersionPath, parseResource, versionOf } from './resource.ts';
import { rewriteAll, summary } from './rewrite.ts';
import { serialized } from './serialized.ts';

/** How much of the work is done twice after a kill; twice is cheap, as an object under the current key is not stored again. */
const checkpointEveryMs = 1_000;
const connections = 4;

/** A migration that is under way in this process, or ended in it. */
interface Run {
  readonly state: () => MigrationObservation;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

const now = (): string => new Date().toISOString().replace(/\.\d+/, '');

/**
 * Migrates in this process, in the background.
 * @param changed called when a migration has ended
 */
export const inProcessMigrator = (
  client: ApiClient,
  credentials: () => Promise<Credentials>,
  changed: () => void,
): Migrator => {
  const store = checkpointStore(client);
  const closing = new AbortController();
  const runs = new Map<string, Run>();
  const oneByOne = serialized();

  const start = (begin: Checkpoint): Run => {
    const { resource } = begin.migration;
    const stopping = new AbortController();
    const { signal } = stopping;
    let current = begin;
    let saved = performance.now();
    let saving = Promise.resolve();
    const save = (): void => {
      saved = performance.now();
      // One that is lost costs time alone.
      saving = saving.then(() => store.write(current, signal)).catch(() => {});
    };

    const migrate = async (): Promise<Partial<MigrationObservation>> => {
      const writers = apiClient(credentials, connections);
      signal.addEventListener('abort', writers.close, { once: true });
      try {
        const { group, resource: plural } = parseResource(resource);
        const version = await versionOf(writers, resource, signal);
        const failures = await rewriteAll(
          writers,
          {
            path: `${groupVersionPath(group, version)}/${plural}`,
            after: begin.last,
            report: ({ last, done, total }) => {
              current = { last, migration: { ...current.migration, done, total } };
              if (performance.now() - saved > checkpointEveryMs) save();
            },
          },
          signal,
        );
        return failures.length === 0 ? { outcome: 'succeeded' } : { outcome: 'failed', message: summary(failures) };
      } catch (error) {
        signal.throwIfAborted();
        return { outcome: 'failed', message: messageOf(error) };
      } finally {
        signal.removeEventListener('abort', writers.close);
        writers.close();
      }
    };

    const run = async (): Promise<void> => {
      save();
      try {
        const outcome = await migrate();
        current = { ...current, migration: { ...current.migration, ...outcome, finishedAt: now() } };
        save();
        changed();
      } catch {
        // It was stopped; its checkpoint is what is left.
      }
      await saving;
    };

    const ended = run();
    return {
      state: () => current.migration,
      stop: () => {
        stopping.abort();
        return ended;
      },
    };
  };

  /** What is known of a resource: by this process, or by a former one, whose unfinished work is taken up. */
  const recall = async (resource: string): Promise<Run | undefined> => {
    const known = runs.get(resource);
    if (known !== undefined) return known;
    const checkpoint = await store.read(resource, closing.signal);
    if (checkpoint === undefined) return undefined;
    const { migration } = checkpoint;
    const run =
      migration.outcome === 'running' ? start(checkpoint) : { state: () => migration, stop: () => Promise.resolve() };
    runs.set(resource, run);
    return run;
  };

  const forget = async (resource: string): Promise<void> => {
    await runs.get(resource)?.stop();
    runs.delete(resource);
    await store.remove(resource, closing.signal);
  };

  return {
    observe: async (resources) => {
      const found = await Promise.all(resources.map((resource) => oneByOne(resource, () => recall(resource))));
      return found.filter((run) => run !== undefined).map((run) => run.state());
    },
    ensure: (resource, writeKey) =>
      oneByOne(resource, async () => {
        const known = await recall(resource);
        if (known?.state().writeKey === writeKey) return known.state();
        if (known !== undefined) await forget(resource);
        const run = start({ last: '', migration: { resource, writeKey, outcome: 'running' } });
        runs.set(resource, run);
        return run.state();
      }),
    prune: (resource) => oneByOne(resource, () => forget(resource)),
    close: async () => {
      closing.abort();
      await Promise.all([...runs.values()].map((run) => run.stop()));
    },
  };
};
