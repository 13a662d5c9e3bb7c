import { access as mayRead } from 'node:fs/promises';
import { type ClusterAccess, readAccess } from '../cluster/access.ts';
import { Failure, messageOf, UsageFailure } from '../common/failure.ts';
import { kubeconfigPath } from '../infra/cloud/kubeconfigPath.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import type { Stack } from './stack.ts';

/** Of a cluster that is the stack's own. @throws Failure where the stack is not up */
export const requireAccess = async (stack: Stack, tried: string): Promise<ClusterAccess> => {
  const access = await readAccess(stack.clusterDir);
  if (access !== undefined) return access;
  throw new Failure({ tried, got: `stack ${stack.name} is not up`, next: `run 'understudy up ${stack.name}'` });
};

const readable = async (path: string, tried: string): Promise<string> => {
  await mayRead(path).catch((error: unknown) => {
    const next = "let KUBECONFIG, or understudy:cloud.kubeconfig, name an administrator's kubeconfig";
    throw new UsageFailure({ tried, got: messageOf(error), next, cause: error });
  });
  return path;
};

/**
 * An administrator's kubeconfig: its content, or its path where the cluster is not the stack's own.
 * @throws Failure where the stack is not up; UsageFailure where there is no such file
 */
export const requireKubeconfig = async (stack: Stack, tried: string): Promise<string> =>
  isCloud(stack.settings.platform)
    ? readable(kubeconfigPath(stack.settings.cloud), tried)
    : (await requireAccess(stack, tried)).kubeconfig;

/** The same; undefined where there is none. */
export const findKubeconfig = async (stack: Stack): Promise<string | undefined> =>
  isCloud(stack.settings.platform)
    ? kubeconfigPath(stack.settings.cloud)
    : (await readAccess(stack.clusterDir))?.kubeconfig;
