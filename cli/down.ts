import { rm } from 'node:fs/promises';
import { inspectCluster } from '../cluster/inspect.ts';
import { leftovers, removeCluster } from '../cluster/remove.ts';
import { Failure, messageOf } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { readKindRecord } from '../kind/cluster/record.ts';
import { destroy } from './destroy.ts';
import { prepareEngineHome, removeState } from './engineHome.ts';
import { exclusively } from './exclusive.ts';
import { removeKindOf } from './kind/remove.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import { requireRoot } from './root.ts';
import { clearSharedDir } from './sharedDir.ts';
import type { Stack } from './stack.ts';

/** A damaged state is no reason to keep a cluster of our own: it is removed without. */
const destroyOwn = async (stack: Stack, progress: Progress): Promise<void> => {
  if ((await destroy(stack, progress)) !== 'damaged') return;
  progress.note(`the engine's state of stack ${stack.name} is damaged: removing the cluster without it`);
  const { stateDir } = await prepareEngineHome();
  if (stateDir !== undefined) await removeState(stateDir, stack.name);
};

/** Tells what `down` came to. @param left what is still there, by name */
export const concludeDown = (
  stack: Stack,
  options: OutputOptions,
  { begin, wasThere, left }: { readonly begin: number; readonly wasThere: boolean; readonly left: readonly string[] },
): void => {
  if (left.length > 0) {
    throw new Failure({
      tried: `remove all of stack ${stack.name}`,
      got: `still there: ${left.join(', ')}`,
      next: `run 'understudy down ${stack.name}' again`,
    });
  }
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const text = wasThere
    ? `Stack ${stack.name} is gone after ${seconds.toFixed(1)} s; nothing of it is left.`
    : `Stack ${stack.name} was not up; nothing of it is left.`;
  printResult(options, { stack: stack.name, wasThere, seconds }, text);
};

/** Removes all of a stack, whatever became of it, and nothing else. Safe to repeat. */
export const down = async (stack: Stack, options: OutputOptions): Promise<void> => {
  if (isCloud(stack.settings.platform)) return (await import('./cloud/down.ts')).downCloud(stack, options);
  const begin = performance.now();
  const progress = progressFor(options);
  const isKind = stack.settings.platform === 'kind';
  if (!isKind) requireRoot(`remove cluster ${stack.name}`);
  await exclusively(stack, progress, async () => {
    const wasThere =
      (await (isKind ? readKindRecord(stack.clusterDir) : inspectCluster(stack.clusterDir)).catch(() => true)) !==
      undefined;
    const failed = await destroyOwn(stack, progress).then(
      () => undefined,
      (error: unknown) => error,
    );
    // The engine's way ends with this too; here it also covers what the engine never heard of.
    await (isKind ? removeKindOf(stack, progress) : removeCluster(stack.clusterDir, progress));
    if (failed !== undefined) {
      progress.note(
        `the engine could not remove the stack (${messageOf(failed).split('\n')[0]}): removed its cluster without it`,
      );
      const { stateDir } = await prepareEngineHome();
      if (stateDir === undefined) throw failed;
      await removeState(stateDir, stack.name);
    }
    await rm(stack.workDir, { recursive: true, force: true });
    // While it is held: who waits for it notices, and makes a new one.
    await rm(stack.lockPath, { force: true });
    const left = [...(isKind ? [] : await leftovers(stack.clusterDir)), ...(await clearSharedDir())];
    concludeDown(stack, options, { begin, wasThere, left });
  });
};
