import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import type { Progress } from '../common/progress.ts';
import { allOnPath, isExecutableFile } from './locate.ts';
import type { Group } from './recipe.ts';
import type { Toolchain } from './toolchain.ts';

const day = 24 * 3600 * 1000;

/** When downloads of plugins failed, by file, in milliseconds since 1970. */
export type FailedAttempts = Readonly<Record<string, number>>;

/** Whether a download that failed at `failedAt` is worth another attempt: once a day, so that work without internet is not slowed down. */
export const worthAnAttempt = (failedAt: number | undefined, now: number): boolean =>
  failedAt === undefined || failedAt > now || now - failedAt >= day;

const parseAttempts = (text: string | undefined): FailedAttempts => {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  } catch {
    return {};
  }
};

export interface PluginOptions<Name extends string> {
  readonly groups: readonly Group<Name>[];
  readonly toolchain: Toolchain<Name>;
  /** The toolchain's cache folder. */
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

/**
 * Pulumi's own provider plugins, where they are installed or can be downloaded: on PATH (any version, as the engine
 * takes them), in `$PULUMI_HOME/plugins`, in the cache, by download.
 * @throws Failure where a download does not have its published checksum.
 */
export const findPlugins = async <Name extends string>(
  { groups, toolchain, cache, env, now }: PluginOptions<Name>,
  progress: Progress,
): Promise<Partial<Record<Name, string>>> => {
  const attemptsFile = join(cache, 'failed-plugins.json');
  const attempts = parseAttempts(await readFileIfThere(attemptsFile));
  const failed: Record<string, number> = {};
  const pulumiHome = env.PULUMI_HOME ?? join(homedir(), '.pulumi');

  const find = async (group: Group<Name>, name: Name): Promise<string | undefined> => {
    const installed = join(pulumiHome, 'plugins', `${group.name}-v${group.version}`, name);
    for (const path of [...(await allOnPath(name, env)), installed]) if (await isExecutableFile(path)) return path;
    const [cached] = await toolchain.inspect([name]);
    if (cached?.path !== undefined) return cached.path;
    const key = `${name}-${group.version}`;
    if (!worthAnAttempt(attempts[key], now())) return undefined;
    const unavailable = await toolchain.tryObtain(name, progress);
    if (unavailable) {
      failed[key] = now();
      return undefined;
    }
    const [obtained] = await toolchain.inspect([name]);
    return obtained?.path;
  };

  const found = await Promise.all(
    groups.flatMap((group) => group.programs.map(async ({ name }) => [name, await find(group, name)] as const)),
  );
  if (Object.keys(failed).length > 0) await writeFileWhole(attemptsFile, JSON.stringify({ ...attempts, ...failed }));
  return Object.fromEntries(found.filter(([, path]) => path !== undefined)) as Partial<Record<Name, string>>;
};
