import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tryExec } from '../../../common/exec.ts';
import { silentProgress } from '../../../common/progress.ts';
import type { EngineName } from '../../../kind/cluster/engine.ts';
import { type Engine, startEngine } from '../../../kind/engine/engine.ts';
import { ensureNodeImage, type NodeImage } from '../../../kind/nodeImage/build.ts';
import { ensureKwokStages, ensureOpenShiftCrds, ensurePrograms } from '../../../toolchain/index.ts';
import { entry, type Finished, type Home, makeHome, pinnedNode, startCommand } from './home.ts';

/**
 * Why this machine cannot have a container engine of a test's own; undefined where it can. It asks for what the machine
 * is, not whether ours starts: where it could, a broken one must fail.
 */
export const whyNoEngine = async (): Promise<string | undefined> => {
  if (process.getuid?.() !== 0) return 'this is not root';
  const there = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;
  if (!(await there('/etc/debian_version'))) return "Debian's packages of an engine need a Debian";
  if (!(await there('/sys/fs/cgroup'))) return 'there are no cgroups';
  const spaces = await tryExec('unshare', ['--mount', '--net', '--pid', '--fork', 'true']).catch(() => undefined);
  return spaces?.code === 0 ? undefined : 'namespaces are refused';
};

/** The command line in the network of an engine that is a test's own. */
export interface KindHome {
  readonly home: Home;
  readonly engine: Engine;
  readonly image: NodeImage;
  writeStack(name: string, settings?: object): Promise<void>;
  run(...args: readonly string[]): Promise<Finished>;
  /** The same, with a result as JSON; it must end well. */
  json(...args: readonly string[]): Promise<Record<string, unknown>>;
  /** Runs kubectl on a stack; it must end well. @returns what it printed */
  kubectl(stack: string, ...args: readonly string[]): Promise<string>;
  /** Runs the engine's command line. */
  container(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** All that needs a way out is got before: the engine's network has none. */
export const makeKindHome = async (engineName: EngineName): Promise<KindHome> => {
  const image = await ensureNodeImage(silentProgress);
  await ensurePrograms(['kind', 'pulumi', 'kubectl', 'kwok', 'kubemark'], silentProgress);
  await ensureKwokStages(silentProgress);
  await ensureOpenShiftCrds(silentProgress);
  const home = await makeHome();
  const engine = await startEngine(engineName, join(home.stacksDir, '..', 'engine'), silentProgress);
  const { DOCKER_HOST, PATH } = engine.env;
  const env = { ...home.env, DOCKER_HOST, PATH };
  const run: KindHome['run'] = (...args) => startCommand([...engine.enter, pinnedNode, entry, ...args], env).finished;
  const well = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    if (code !== 0) throw new Error(`'${args.join(' ')}' ended with ${code}:\n${stderr}${stdout}`);
    return stdout;
  };
  return {
    home,
    engine,
    image,
    writeStack: async (name, settings = {}) => {
      const config = Object.fromEntries(
        Object.entries({ platform: 'kind', ...settings }).map(([key, value]) => [`understudy:${key}`, value]),
      );
      await writeFile(join(home.stacksDir, `Pulumi.${name}.yaml`), stringify({ config }));
    },
    run,
    json: async (...args) => JSON.parse(await well(...args, '--json')),
    kubectl: async (stack, ...args) => (await well('kubectl', '--stack', stack, ...args)).trim(),
    container: async (...args) => {
      const { code, stdout, stderr } = await tryExec(engineName, args, { env });
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    remove: async () => {
      await engine.stop();
      await home.remove();
    },
  };
};
