import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { projectDir } from '../../../common/paths.ts';
import { silentProgress } from '../../../common/progress.ts';
import { findOptionalPlugins } from '../../../toolchain/index.ts';
import { allOnPath } from '../../../toolchain/locate.ts';
import { type Finished, type Home, pinnedNode, startCommand } from './home.ts';

/** Pulumi as a user has installed it. */
interface Installed {
  /** Folders of its programs. */
  readonly folders: readonly string[];
  /** Folders of its plugins for Kubernetes and commands. */
  readonly pluginFolders: readonly string[];
}

const ofInstaller = ['pulumi', 'pulumi-language-nodejs'];

/** The official programs of this machine, or which of them there are not. */
const findOfficial = async (): Promise<Installed | string> => {
  const programs = await Promise.all(
    ofInstaller.map(async (name) => [name, (await allOnPath(name, process.env))[0]] as const),
  );
  const plugins = Object.entries(await findOptionalPlugins(silentProgress));
  const all = [...programs, ...plugins];
  const lacking = all.filter(([, path]) => path === undefined).map(([name]) => name);
  if (lacking.length > 0) return `no ${lacking.join(', ')} on PATH`;
  const foldersOf = (found: typeof all): readonly string[] => found.map(([, path]) => dirname(path ?? ''));
  return { folders: foldersOf(programs), pluginFolders: foldersOf(plugins) };
};

const official = await findOfficial();

/** Why this machine cannot run an installed Pulumi; undefined where it can. */
export const whyNoOfficialPulumi = typeof official === 'string' ? official : undefined;

/** A checkout as a user has it, with a file backend of its own, in which `pulumi` is called. */
export interface Checkout {
  readonly dir: string;
  /** Variables with which `understudy` works on the same state, and finds no official plugins on PATH: its stand-ins do. */
  readonly withStandIns: NodeJS.ProcessEnv;
  /** Runs the installed Pulumi without questions. */
  pulumi(...args: readonly string[]): Promise<Finished>;
  /** The same; it must end well. @returns what it printed */
  well(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/**
 * @param env what the commands get
 * @param enter words to put before each of them
 */
export const makeCheckout = async (
  { dir: home, stacksDir }: Home,
  env: NodeJS.ProcessEnv,
  enter: readonly string[],
): Promise<Checkout> => {
  if (typeof official === 'string') throw new Error(official);
  const dir = await mkdtemp(join(tmpdir(), 'checkout-'));
  await copyFile(join(projectDir, 'Pulumi.yaml'), join(dir, 'Pulumi.yaml'));
  for (const name of ['infra', 'node_modules', 'package.json']) await symlink(join(projectDir, name), join(dir, name));
  await symlink(stacksDir, join(dir, 'stacks'));
  const sameState = {
    PULUMI_BACKEND_URL: `file://${home}`,
    PULUMI_CONFIG_PASSPHRASE: 'of the test',
  };
  const others = (env.PATH ?? '').split(delimiter).filter((folder) => !official.pluginFolders.includes(folder));
  const variables = {
    ...env,
    ...sameState,
    PATH: [...official.folders, ...official.pluginFolders, env.PATH].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
  };
  const pulumi: Checkout['pulumi'] = (...args) =>
    startCommand([...enter, 'pulumi', '--non-interactive', '--cwd', dir, ...args], variables).finished;
  return {
    dir,
    // What a resource runs is `node`.
    withStandIns: { ...env, ...sameState, PATH: [dirname(pinnedNode), ...others].join(delimiter) },
    pulumi,
    well: async (...args) => {
      const { code, stdout, stderr } = await pulumi(...args);
      if (code !== 0) throw new Error(`'pulumi ${args.join(' ')}' ended with ${code}:\n${stderr}${stdout}`);
      return stdout.trim();
    },
    remove: () => rm(dir, { recursive: true }),
  };
};
