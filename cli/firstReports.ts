import { Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { connectClusterObjects } from './clusterObjects.ts';
import type { Stack } from './stack.ts';
import { stackStatus } from './status/stackStatus.ts';

const timeoutMs = 15_000;

/** Waits until the health of all plugins has been told, so that whoever asks next finds it. That it has not been is a note, no failure. */
export const waitForFirstReports = async (stack: Stack, kubeconfig: string, progress: Progress): Promise<void> => {
  const objects = await connectClusterObjects(kubeconfig);
  const areKnown = async (): Promise<true | undefined> => {
    const { plugins } = await stackStatus(stack, objects, undefined);
    return plugins.every(({ status }) => status !== 'unknown') ? true : undefined;
  };
  const next = `'understudy status ${stack.name}' tells of it, 'understudy logs kms-health-reporter ${stack.name}' why`;
  try {
    await waitFor(areKnown, { what: 'the health of all KMS plugins', timeoutMs, intervalMs: 200, next });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.note(error.message);
  } finally {
    objects.close();
  }
};
