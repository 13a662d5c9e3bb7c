import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { projectDir } from '../common/paths.ts';
import { lineProgress, type Progress } from '../common/progress.ts';

/** Runs us and the peer in turns, prints a table, and returns its figures. */
export type Benchmark = (progress: Progress) => Promise<Readonly<Record<string, unknown>>>;

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  up: async () => (await import('./up.ts')).benchUp,
  ha: async () => (await import('./ha.ts')).benchHa,
  kind: async () => (await import('./kind.ts')).benchKind,
  toolchain: async () => (await import('./toolchain.ts')).benchToolchain,
  encryption: async () => (await import('./encryption.ts')).benchEncryption,
  suite: async () => (await import('./suite.ts')).benchSuite,
  migration: async () => (await import('./migration.ts')).benchMigration,
  health: async () => (await import('./health.ts')).benchHealth,
  admission: async () => (await import('./nodes.ts')).benchAdmission,
  kubemark: async () => (await import('./nodes.ts')).benchKubemark,
  kwok: async () => (await import('./nodes.ts')).benchKwok,
  plugin: async () => (await import('./plugin.ts')).benchPlugin,
};

const names = Object.keys(benchmarks).join('|');

/** Keeps the figures with date and commit, for comparison with later ones. */
const keep = async (name: string, figures: object): Promise<void> => {
  const commit = (await exec('git', ['rev-parse', '--short', 'HEAD'], { cwd: projectDir })).trim();
  const date = new Date().toISOString();
  const path = join(projectDir, 'bench', 'results', `${date.slice(0, 10)}-${name}.json`);
  await writeFileWhole(path, `${JSON.stringify({ date, commit, figures }, null, 2)}\n`, 0o644);
};

const main = async (name: string): Promise<void> => {
  const load = benchmarks[name];
  if (load === undefined) {
    throw new UsageFailure({
      tried: `run benchmark '${name}'`,
      got: `there are ${names}`,
      next: 'npm run bench -- up',
    });
  }
  const stop = async (): Promise<void> => {
    process.stderr.write('bench: told to end: taking down its stack\n');
    // A command that works on it is told by the terminal, too; else its lock is waited for.
    await (await import('./stack.ts')).removeBenchStacks();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  const progress = lineProgress((line) => process.stderr.write(line), 60_000);
  const figures = await (await load())(progress);
  await keep(name, figures);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
};

try {
  await main(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageFailure ? 2 : 1;
}
