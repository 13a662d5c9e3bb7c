import { tryExec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';

export const engineNames = ['docker', 'podman'] as const;
export type EngineName = (typeof engineNames)[number];

/** What trying an engine came to. */
export type EngineAnswer =
  | { readonly kind: 'answers'; readonly version: string }
  /** Its command is not on PATH. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'refuses'; readonly message: string };

/** Asks an engine whether it works for this user. */
export const askEngine = async (name: EngineName): Promise<EngineAnswer> => {
  const format = name === 'docker' ? '{{.ServerVersion}}' : '{{.Version.Version}}';
  const result = await tryExec(name, ['info', '--format', format]).catch(() => undefined);
  if (result === undefined) return { kind: 'absent' };
  if (result.code === 0) return { kind: 'answers', version: result.stdout.trim() };
  return { kind: 'refuses', message: (result.stderr || result.stdout).trim().split('\n').slice(-3).join(' ') };
};

const adviceFor = (name: EngineName, message: string): string => {
  if (/permission denied/i.test(message)) {
    return `run this as root, or let this user use ${name} ('usermod -aG docker $USER', then log in again)`;
  }
  return `start it ('systemctl start ${name}'), or point DOCKER_HOST to one that runs; '${name} info' tells more`;
};

/**
 * The engine to make nodes with: the first that answers.
 * @param wanted the only one to ask, if any
 * @throws Failure that says of each why not
 */
export const chooseEngine = (
  answers: ReadonlyMap<EngineName, EngineAnswer>,
  wanted: EngineName | undefined,
): EngineName => {
  const asked = engineNames.filter((name) => wanted === undefined || name === wanted);
  const found = asked.find((name) => answers.get(name)?.kind === 'answers');
  if (found !== undefined) return found;
  const tried = "find a container engine for kind's nodes";
  for (const name of asked) {
    const answer = answers.get(name);
    if (answer?.kind === 'refuses') {
      throw new Failure({ tried, got: `${name}: ${answer.message}`, next: adviceFor(name, answer.message) });
    }
  }
  throw new Failure({
    tried,
    got: `there is no ${asked.join(' and no ')} on PATH`,
    next: "install Docker or Podman, or use a stack with platform local, which needs neither ('understudy up local')",
  });
};

export const askEngines = async (): Promise<ReadonlyMap<EngineName, EngineAnswer>> =>
  new Map(await Promise.all(engineNames.map(async (name) => [name, await askEngine(name)] as const)));

/** @throws Failure as {@link chooseEngine} */
export const findEngine = async (wanted: EngineName | undefined): Promise<EngineName> =>
  chooseEngine(await askEngines(), wanted);
