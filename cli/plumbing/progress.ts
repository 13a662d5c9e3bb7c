import { innerProgress } from '../../common/progress.ts';

/** What the resources of the Pulumi program run. Their lines become the engine's log. */
export const progress = innerProgress((line) => process.stderr.write(line));
