import type { Progress } from '../common/progress.ts';
import { withEngine } from './engine.ts';
import { prepareEngineHome, readState, removeStaleEngineLocks, removeState } from './engineHome.ts';
import type { Stack } from './stack.ts';

/**
 * Lets the engine delete what it knows of, and forgets it.
 * @returns 'unknown' where it has no state of the stack, 'damaged' where that cannot be read: nothing was done then
 * @throws Failure where something could not be deleted, of which nothing is forgotten
 */
export const destroy = async (stack: Stack, progress: Progress): Promise<'done' | 'unknown' | 'damaged'> => {
  const home = await prepareEngineHome();
  if (home.stateDir !== undefined) await removeStaleEngineLocks(home.stateDir, stack.name);
  const state = home.stateDir === undefined ? { resources: 1 } : await readState(home.stateDir, stack.name);
  if (state === 'none') return 'unknown';
  if (state === 'damaged') return 'damaged';
  await withEngine(stack, progress, async (engine) => {
    await engine.run(`remove stack ${stack.name}`, (onEvent) => engine.stack.destroy({ onEvent }));
    if (home.stateDir === undefined) await engine.stack.workspace.removeStack(stack.name);
  });
  if (home.stateDir !== undefined) await removeState(home.stateDir, stack.name);
  return 'done';
};
