import { readFile } from 'node:fs/promises';
import { UsageFailure } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import type { OutputOptions } from './output.ts';
import { scaledStackFile } from './scaleGroup.ts';
import { loadStack, parseStackFile, type Stack } from './stack.ts';
import { up } from './up.ts';

/** Gives a group of hollow nodes another number of nodes: in the stack file, so that it stays so, and in the cluster. */
export const scale = async (stack: Stack, group: string, count: string, options: OutputOptions): Promise<void> => {
  if (!/^-?\d+$/.test(count)) {
    throw new UsageFailure({
      tried: `scale the hollow nodes '${group}' to '${count}'`,
      got: 'it is no whole number',
      next: 'give how many nodes the group is to have',
    });
  }
  const path = stack.settingsPath;
  const text = scaledStackFile(await readFile(path, 'utf8'), path, group, Number(count));
  // Before it is written: what is refused changes nothing.
  parseStackFile(text, path);
  await writeFileWhole(path, text, 0o644);
  await up(await loadStack(stack.name), options);
};
