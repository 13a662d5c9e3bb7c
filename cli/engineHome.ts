import { randomBytes } from 'node:crypto';
import { glob, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { hasCode } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { homeDir } from '../common/paths.ts';
import { waitFor } from '../common/waitFor.ts';
import { settingsNamespace } from '../infra/settings.ts';
import type { Stack } from './stack.ts';

export const projectName = 'understudy';

/** Where the engine keeps a stack's state: in a backend that the user logged in to, else in files below our home. */
export interface EngineHome {
  /** For the engine's environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** The folder of the file backend; undefined with a backend of the user's. */
  readonly stateDir: string | undefined;
}

interface Credentials {
  readonly current?: string;
}

const loggedIn = async (): Promise<boolean> => {
  if (process.env.PULUMI_BACKEND_URL !== undefined || process.env.PULUMI_ACCESS_TOKEN !== undefined) return true;
  const home = process.env.PULUMI_HOME ?? join(homedir(), '.pulumi');
  const text = await readFileIfThere(join(home, 'credentials.json'));
  return text !== undefined && (JSON.parse(text) as Credentials).current !== undefined;
};

/** Made once; without it the secrets in the state are lost. */
const ensurePassphrase = async (): Promise<string> => {
  const path = join(homeDir(), 'passphrase');
  if ((await readFileIfThere(path)) === undefined) await writeFileWhole(path, randomBytes(24).toString('base64url'));
  return path;
};

/** As the engine reads it, where the user has set one. */
export const readPassphrase = async (): Promise<string> =>
  process.env.PULUMI_CONFIG_PASSPHRASE ??
  (await readFile(process.env.PULUMI_CONFIG_PASSPHRASE_FILE ?? (await ensurePassphrase()), 'utf8')).trim();

/** The engine's own folder: plugins, notes. */
const engineDir = (): string => process.env.PULUMI_HOME ?? join(homeDir(), 'engine');

export const prepareEngineHome = async (): Promise<EngineHome> => {
  await mkdir(homeDir(), { recursive: true, mode: 0o700 });
  const ownPassphrase =
    process.env.PULUMI_CONFIG_PASSPHRASE !== undefined || process.env.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
  const common = {
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: 'true',
    // A plugin that is not there is stood in for; nothing is fetched in the middle of an operation.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    ...(ownPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: await ensurePassphrase() }),
  };
  if (await loggedIn()) return { variables: common, stateDir: undefined };
  const stateDir = homeDir();
  return {
    variables: {
      ...common,
      // Without files of attributes beside the state: one that a kill cut short would keep the engine from reading it.
      PULUMI_BACKEND_URL: `file://${stateDir}?metadata=skip`,
      PULUMI_HOME: engineDir(),
    },
    stateDir,
  };
};

interface EngineStackFile {
  readonly encryptionsalt?: string;
}

/** A setting as the engine takes it: a secret as it is, encrypted; what has parts as JSON. */
const engineValue = (value: string | number | boolean | object): string | object => {
  if (typeof value !== 'object') return String(value);
  return 'secure' in value ? value : JSON.stringify(value);
};

/** Gives the engine the stack's settings in a folder of its own, so that it writes nothing into the user's files. */
export const writeEngineStackFile = async (stack: Stack): Promise<void> => {
  const path = join(stack.workDir, `Pulumi.${stack.name}.yaml`);
  const known = parse((await readFileIfThere(path)) ?? '') as EngineStackFile | null;
  const config = Object.fromEntries(
    Object.entries(stack.settings).map(([key, value]) => [`${settingsNamespace}:${key}`, engineValue(value)]),
  );
  const encryptionsalt = stack.encryptionSalt ?? known?.encryptionsalt;
  await writeFileWhole(path, stringify({ ...(encryptionsalt && { encryptionsalt }), config }));
};

const stackFolder = (stateDir: string, kind: string): string => join(stateDir, '.pulumi', kind, projectName);

interface EngineLock {
  readonly pid?: number;
  readonly hostname?: string;
}

/** Whether a process works still: one that has ended stays listed until its parent asks for it. */
const isAlive = async (pid: number): Promise<boolean> => {
  const status = await readFileIfThere(`/proc/${pid}/status`).catch(() => undefined);
  return status !== undefined && !/^State:\t[ZX]/m.test(status);
};

/** An engine whose command was killed notices that within this time, and ends. */
const orphanEndsWithinMs = 20_000;

/**
 * Removes the engine's own locks of a stack that their holders, killed, left behind. The caller holds the stack's lock.
 * @throws Failure where a holder stays alive: an engine that was not started by us
 */
export const removeStaleEngineLocks = async (stateDir: string, stack: string): Promise<void> => {
  const folder = join(stateDir, '.pulumi', 'locks', 'organization', projectName, stack);
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(folder, name);
    const lock = parse((await readFileIfThere(path)) ?? '') as EngineLock | null;
    const pid = lock?.hostname === hostname() ? lock.pid : undefined;
    const ended = async (): Promise<true | undefined> => (pid !== undefined && (await isAlive(pid)) ? undefined : true);
    await waitFor(ended, {
      what: `the end of another Pulumi engine, process ${pid}, that works on stack ${stack}`,
      timeoutMs: orphanEndsWithinMs,
      next: 'wait for it to end, then run the command again',
    });
    await rm(path, { force: true });
  }
};

const statePath = (stateDir: string, stack: string): string => join(stackFolder(stateDir, 'stacks'), `${stack}.json`);

interface StateFile {
  readonly checkpoint?: {
    readonly latest?: {
      readonly pending_operations?: readonly unknown[] | null;
      readonly resources?: readonly unknown[] | null;
    };
  };
}

export type StateSummary = 'none' | 'damaged' | { readonly resources: number; readonly pendingOperations: number };

/** What the engine knows of a stack, by its state file. */
export const readState = async (stateDir: string, stack: string): Promise<StateSummary> => {
  const text = await readFileIfThere(statePath(stateDir, stack));
  if (text === undefined) return 'none';
  try {
    const latest = (JSON.parse(text) as StateFile).checkpoint?.latest;
    return { resources: latest?.resources?.length ?? 0, pendingOperations: latest?.pending_operations?.length ?? 0 };
  } catch {
    return 'damaged';
  }
};

/** Whether the engine is sure to know nothing of a stack. Of a backend of the user's, nobody here can tell. */
export const hasNoState = async ({ name }: Stack): Promise<boolean> => {
  const { stateDir } = await prepareEngineHome();
  return stateDir !== undefined && (await readState(stateDir, name)) === 'none';
};

/** The engine's notes of which stack a folder works on. */
const removeWorkspaces = async (stack: string): Promise<void> => {
  const folder = join(engineDir(), 'workspaces');
  for await (const file of glob('*-workspace.json', { cwd: folder })) {
    const path = join(folder, file);
    const { stack: selected } = parse(await readFile(path, 'utf8')) as { readonly stack?: string };
    if (selected === `organization/${projectName}/${stack}`) await rm(path);
  }
};

/** Removes all that the engine keeps of a stack. */
export const removeState = async (stateDir: string, stack: string): Promise<void> => {
  await removeWorkspaces(stack);
  // Beside the state: its backup, attributes, and what an engine that was killed was just writing.
  const folder = stackFolder(stateDir, 'stacks');
  for await (const file of glob(`${stack}.json*`, { cwd: folder })) await rm(join(folder, file), { force: true });
  for (const kind of ['history', 'backups']) {
    await rm(join(stackFolder(stateDir, kind), stack), { recursive: true, force: true });
  }
  await rm(join(stateDir, '.pulumi', 'locks', 'organization', projectName, stack), { recursive: true, force: true });
};
