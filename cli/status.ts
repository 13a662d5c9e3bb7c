import { inspectCluster } from '../cluster/inspect.ts';
import { requireKubeconfig } from './access.ts';
import { type ClusterObjects, connectClusterObjects } from './clusterObjects.ts';
import { interruptibly } from './interruption.ts';
import { type OutputOptions, printResult } from './output.ts';
import type { Stack } from './stack.ts';
import { type StackStatus, stackStatus } from './status/stackStatus.ts';
import { statusText } from './status/text.ts';
import { watch } from './status/watch.ts';

export interface StatusOptions extends OutputOptions {
  /** Go on until Ctrl-C. */
  readonly watch?: boolean;
}

interface Found {
  readonly status: StackStatus;
  /** Names of boxes that do not run. */
  readonly dead: readonly string[];
}

const look = async (stack: Stack, objects: ClusterObjects): Promise<Found> => {
  const state = await inspectCluster(stack.clusterDir);
  const dead = (state?.boxes ?? []).filter(({ running }) => !running).map(({ name }) => name);
  return { status: await stackStatus(stack, objects, state), dead };
};

const textOf = ({ status, dead }: Found): string => statusText(status, dead, Date.now());

const watchStatus = (stack: Stack, objects: ClusterObjects, options: StatusOptions): Promise<void> =>
  interruptibly((interrupted) => {
    // A reader that has left is told nothing more.
    const left = new AbortController();
    process.stdout.once('error', () => left.abort());
    const json = options.json === true;
    return watch({
      look: () => look(stack, objects),
      render: (found) => (json ? JSON.stringify(found.status) : textOf(found)),
      json,
      screen: process.stdout,
      signal: AbortSignal.any([interrupted, left.signal]),
    });
  });

/** How a stack is; exit code 1 if it is not ready, unless it is watched. */
export const status = async (stack: Stack, options: StatusOptions): Promise<void> => {
  const kubeconfig = await requireKubeconfig(stack, `tell the status of stack ${stack.name}`);
  const objects = await connectClusterObjects(kubeconfig);
  try {
    if (options.watch === true) {
      await watchStatus(stack, objects, options);
      return;
    }
    const found = await look(stack, objects);
    printResult(options, found.status, textOf(found));
    if (!found.status.cluster.ready) process.exitCode = 1;
  } finally {
    objects.close();
  }
};
