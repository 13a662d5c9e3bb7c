import { boxPrograms } from '../cluster/boxRoot.ts';
import { ensureOpenShiftCrds, ensurePrograms, installMissing } from '../toolchain/index.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';

/** What `up` of a local stack needs, and kubectl for people. */
export const stackPrograms = [...boxPrograms, 'pause', 'pulumi', 'kubectl'] as const;

/** Makes all programs, and OpenShift's custom resource definitions, be there. */
export const toolchain = async (options: OutputOptions): Promise<void> => {
  const progress = progressFor(options);
  await installMissing(progress);
  const [programs, openShiftCrds] = await Promise.all([
    ensurePrograms(stackPrograms, progress),
    ensureOpenShiftCrds(progress),
  ]);
  const lines = [
    ...Object.entries(programs).map(([name, path]) => `${name.padEnd(24)} ${path}`),
    ...openShiftCrds.map((path) => `${'openshift-crds'.padEnd(24)} ${path}`),
  ];
  printResult(options, { programs, openShiftCrds }, lines.join('\n'));
};
