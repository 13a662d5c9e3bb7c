import { rm } from 'node:fs/promises';
import { inspectCluster } from '../cluster/inspect.ts';
import { leftovers, removeCluster } from '../cluster/remove.ts';
import { Failure, messageOf } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { readKindRecord } from '../kind/cluster/start.ts';
import { withEngine } from './engine.ts';
import { prepareEngineHome, readState, removeStaleEngineLocks, removeState } from './engineHome.ts';
import { exclusively } from './exclusive.ts';
import { removeKindOf } from './kind/remove.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import { requireRoot } from './root.ts';
import { clearSharedDir } from './sharedDir.ts';
import type { Stack } from './stack.ts';

/** Lets the engine delete what it knows of. A damaged state is no reason to keep a cluster: it is removed without. */
const destroy = async (stack: Stack, progress: Progress): Promise<void> => {
  const home = await prepareEngineHome();
  if (home.stateDir !== undefined) await removeStaleEngineLocks(home.stateDir, stack.name);
  const state = home.stateDir === undefined ? { resources: 1 } : await readState(home.stateDir, stack.name);
  if (state === 'none') return;
  if (state === 'damaged') {
    progress.note(`the engine's state of stack ${stack.name} is damaged: removing the cluster without it`);
  } else {
    await withEngine(stack, progress, async (engine) => {
      await engine.run(`remove stack ${stack.name}`, (onEvent) => engine.stack.destroy({ onEvent }));
      if (home.stateDir === undefined) await engine.stack.workspace.removeStack(stack.name);
    });
  }
  if (home.stateDir !== undefined) await removeState(home.stateDir, stack.name);
};

/** Removes all of a stack, whatever became of it, and nothing else. Safe to repeat. */
export const down = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const begin = performance.now();
  const progress = progressFor(options);
  const isKind = stack.settings.platform === 'kind';
  if (!isKind) requireRoot(`remove cluster ${stack.name}`);
  await exclusively(stack, progress, async () => {
    const wasThere =
      (await (isKind ? readKindRecord(stack.clusterDir) : inspectCluster(stack.clusterDir)).catch(() => true)) !==
      undefined;
    const failed = await destroy(stack, progress).then(
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
  });
};
