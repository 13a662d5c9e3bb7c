import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Target } from '../../common/kmsHealthTarget.ts';
import { startTestCluster, type TestCluster } from './operatorCluster.ts';
import {
  createAccount,
  type ReporterRun,
  type RunningReporter,
  type StandInPlugin,
  startPlugin,
  startReporter,
} from './reporterRun.ts';

/** What a file of tests of reporters has: a cluster, a plugin, and reporters that end with each test. */
export interface ReporterWorkplace {
  readonly cluster: TestCluster;
  readonly plugin: StandInPlugin;
  start(run?: Partial<ReporterRun>): Promise<RunningReporter>;
}

/** Sets it up before all tests of a file, and takes it down after them. @param more as in {@link createAccount} */
export const useReporters = (more: readonly Target[] = []): ReporterWorkplace => {
  let made: { readonly cluster: TestCluster; readonly plugin: StandInPlugin } | undefined;
  const running: RunningReporter[] = [];
  const here = () => {
    if (made === undefined) throw new Error('not set up yet');
    return made;
  };
  beforeAll(async () => {
    made = { cluster: await startTestCluster(), plugin: await startPlugin() };
    await createAccount(made.cluster, more);
  });
  beforeEach(() => here().plugin.answer());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((reporter) => reporter.stop()));
  });
  afterAll(async () => {
    await made?.plugin.remove();
    await made?.cluster.stop();
  });
  return {
    get cluster() {
      return here().cluster;
    },
    get plugin() {
      return here().plugin;
    },
    start: async (run = {}) => {
      const { cluster, plugin } = here();
      const reporter = await startReporter(cluster, { dir: plugin.dir, ...run });
      running.push(reporter);
      return reporter;
    },
  };
};
