import { boxPrograms } from '../cluster/boxRoot.ts';
import type { Progress } from '../common/progress.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import type { StackSettings } from '../infra/settings.ts';
import { ensureKwokStages, ensureOpenShiftCrds, ensurePrograms, installMissing } from '../toolchain/index.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import type { Stack } from './stack.ts';

/** What `up` of every local stack needs, and kubectl for people. */
export const stackPrograms = [...boxPrograms, 'pause', 'pulumi', 'kubectl'] as const;

/** What `up` of a kind stack needs beside the node image, which has its own. */
const kindPrograms = ['kind', 'pulumi', 'kubectl'] as const;

/** What `up` needs on a cluster that exists. */
const cloudPrograms = ['crane', 'pulumi', 'kubectl'] as const;

const programsOf = (platform: StackSettings['platform']) => {
  if (isCloud(platform)) return cloudPrograms;
  return platform === 'kind' ? kindPrograms : stackPrograms;
};

/** Makes all programs, and files of theirs, be there that `up` of a stack needs; their places by name. @throws Failure */
export const ensureStackPrograms = async (
  { settings: { hollowNodes, platform } }: Stack,
  progress: Progress,
): Promise<Readonly<Record<string, string>>> => {
  const engines = [...new Set(hollowNodes.map(({ engine }) => engine))];
  const [programs] = await Promise.all([
    ensurePrograms([...programsOf(platform), ...engines], progress),
    engines.includes('kwok') ? ensureKwokStages(progress) : [],
  ]);
  return programs;
};

/** Makes all programs of a stack, and OpenShift's custom resource definitions, be there. */
export const toolchain = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const progress = progressFor(options);
  await installMissing(progress);
  const [programs, openShiftCrds] = await Promise.all([
    ensureStackPrograms(stack, progress),
    ensureOpenShiftCrds(progress),
  ]);
  const lines = [
    ...Object.entries(programs).map(([name, path]) => `${name.padEnd(24)} ${path}`),
    ...openShiftCrds.map((path) => `${'openshift-crds'.padEnd(24)} ${path}`),
  ];
  printResult(options, { programs, openShiftCrds }, lines.join('\n'));
};
