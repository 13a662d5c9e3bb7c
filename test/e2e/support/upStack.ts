import { expect } from 'vitest';
import { type ClusterAccess, readAccess } from '../../../cluster/access.ts';
import { type ClusterMarks, type Home, marksOf, type Settings } from './home.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';

/** A stack that is up. */
export interface UpStack {
  readonly kubectl: Kubectl;
  readonly access: ClusterAccess;
  readonly marks: ClusterMarks;
  /** Runs a command of the command line that must end well; its JSON. */
  json(...args: readonly string[]): Promise<ReturnType<typeof JSON.parse>>;
  /** Everything is stored as asked for. */
  verifies(): Promise<void>;
}

export const bringUp = async (home: Home, stack: string, settings: Settings = {}): Promise<UpStack> => {
  await home.writeStack(stack, settings);
  const { code, stderr } = await home.run('up', stack);
  expect(code, stderr).toBe(0);
  const access = await readAccess(home.clusterDir(stack));
  if (access === undefined) throw new Error('no access.json after up');
  const json: UpStack['json'] = async (...args) => {
    const finished = await home.run(...args, '--json');
    expect(finished.code, finished.stdout + finished.stderr).toBe(0);
    return JSON.parse(finished.stdout);
  };
  return {
    kubectl: await kubectlFor(home, stack),
    access,
    marks: await marksOf(home, stack),
    json,
    verifies: async () => {
      await json('verify', stack);
    },
  };
};
