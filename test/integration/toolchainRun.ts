import { messageOf } from '../../common/failure.ts';
import { createDownloader } from '../../toolchain/download.ts';
import type { Group } from '../../toolchain/recipe.ts';
import { createToolchain } from '../../toolchain/toolchain.ts';

/** One run of the toolchain over a table of a test's own. */
export interface ToolchainRun {
  readonly groups: readonly Group[];
  readonly modulesDir: string;
  readonly cache: string;
  /** Where downloads are asked for instead of at their hosts. */
  readonly mirror: string;
  /** Over this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly goPlaces?: readonly string[];
  readonly names: readonly string[];
}

export interface ToolchainOutcome {
  readonly paths?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly notes: readonly string[];
  readonly phases: readonly string[];
}

export const runToolchain = async (run: ToolchainRun): Promise<ToolchainOutcome> => {
  const notes: string[] = [];
  const phases: string[] = [];
  const toolchain = createToolchain({
    groups: run.groups,
    arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
    modulesDir: run.modulesDir,
    cache: run.cache,
    downloader: createDownloader({ mirror: run.mirror, answerTimeoutMs: 500, stallTimeoutMs: 1_000 }),
    env: { ...process.env, ...run.env },
    goPlaces: run.goPlaces ?? ['/usr/local/go/bin/go'],
    buildsAtOnce: 2,
  });
  const progress = {
    note: (text: string) => notes.push(text),
    phase: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      phases.push(name);
      return work();
    },
  };
  try {
    return { paths: await toolchain.ensure(run.names, progress), notes, phases };
  } catch (error) {
    return { error: messageOf(error), notes, phases };
  }
};

// As a program of its own: what to run as JSON in the first argument, what came of it as JSON on standard output.
if (import.meta.main) {
  const outcome = await runToolchain(JSON.parse(process.argv[2] ?? '') as ToolchainRun);
  process.stdout.write(JSON.stringify(outcome));
}
