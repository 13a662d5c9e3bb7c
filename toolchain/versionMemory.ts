import { stat } from 'node:fs/promises';
import { tryExec } from '../common/exec.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';

/** What a program said, and the file that said it: an answer holds until the file changes. */
interface Remembered {
  readonly mtimeMs: number;
  readonly size: number;
  readonly args: string;
  readonly answer: string;
}

/** Asks programs for their versions, each file only once. */
export interface VersionMemory {
  /** What the program at `path` prints when called with `args`; undefined where it does not end in time. */
  ask(path: string, args: readonly string[]): Promise<string | undefined>;
  /** Writes down what was learned, if anything was. */
  save(): Promise<void>;
}

const patienceMs = 5_000;
const longestAnswer = 400;

const isRemembered = (value: unknown): value is Remembered =>
  typeof value === 'object' &&
  value !== null &&
  'mtimeMs' in value &&
  'size' in value &&
  'args' in value &&
  'answer' in value &&
  typeof value.answer === 'string';

/** Entries of a memory file; what is damaged counts as forgotten. */
const parseMemory = (text: string | undefined): Map<string, Remembered> => {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
    return new Map(entries.filter((entry): entry is [string, Remembered] => isRemembered(entry[1])));
  } catch {
    return new Map();
  }
};

/** @param file where answers are kept between runs; two runs at once may lose each other's answers, nothing more. */
export const openVersionMemory = async (file: string, env: NodeJS.ProcessEnv): Promise<VersionMemory> => {
  const known = parseMemory(await readFileIfThere(file).catch(() => undefined));
  let learned = false;
  return {
    ask: async (path, args) => {
      const { mtimeMs, size } = await stat(path);
      const asked = args.join(' ');
      const remembered = known.get(path);
      if (remembered?.mtimeMs === mtimeMs && remembered.size === size && remembered.args === asked) {
        return remembered.answer;
      }
      const result = await tryExec(path, args, { env, signal: AbortSignal.timeout(patienceMs) }).catch(() => undefined);
      if (result === undefined) return undefined;
      const answer = `${result.stdout}${result.stderr}`.slice(0, longestAnswer);
      known.set(path, { mtimeMs, size, args: asked, answer });
      learned = true;
      return answer;
    },
    save: async () => {
      if (!learned) return;
      // Where the cache cannot be written to, programs on PATH still serve: they are only asked again.
      await writeFileWhole(file, JSON.stringify(Object.fromEntries(known), undefined, 1)).catch(() => {});
    },
  };
};
