import { boxPrograms } from '../cluster/boxRoot.ts';
import { ensurePrograms, installMissing } from '../toolchain/index.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';

/** What `up` of a local stack needs, and kubectl for people. */
export const stackPrograms = [...boxPrograms, 'pause', 'pulumi', 'kubectl'] as const;

/** Makes all programs be there. */
export const toolchain = async (options: OutputOptions): Promise<void> => {
  const progress = progressFor(options);
  await installMissing(progress);
  const paths = await ensurePrograms(stackPrograms, progress);
  const lines = Object.entries(paths).map(([name, path]) => `${name.padEnd(24)} ${path}`);
  printResult(options, { programs: paths }, lines.join('\n'));
};
