import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { rootOf } from './boxRoot.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';

/** Where the kubelet looks first: its own root folder (`credentialprovider.SetPreferredDockercfgPath`). */
const credentialsPath = 'var/lib/kubelet/config.json';

/** There while the kubelet may still go by an older file: also after a kill between the file and the restart. */
const staleKubeletPath = 'etc/understudy/kubelet-is-stale';

/** Gives a box that does not run the credentials that its kubelet is to start with, or takes them away. */
export const writeRegistryCredentials = async (
  plan: ClusterPlan,
  node: NodePlan,
  credentials: string | undefined,
): Promise<void> => {
  const path = join(rootOf(plan, node.name), credentialsPath);
  if (node.role === 'load-balancer' || credentials === undefined) await rm(path, { force: true });
  else await writeFileWhole(path, credentials);
};

/**
 * Gives a running box other credentials. Its kubelet goes by what it read for five minutes (`CachingDockerConfigProvider` in
 * kubernetes/pkg/credentialprovider), and may wait as long before it tries a pull again, so it is restarted; pods go on.
 * @param boxPid the box's first process
 */
export const changeRegistryCredentials = async (
  plan: ClusterPlan,
  node: NodePlan,
  boxPid: number,
  credentials: string | undefined,
): Promise<void> => {
  if (node.role === 'load-balancer') return;
  const root = rootOf(plan, node.name);
  const stale = join(root, staleKubeletPath);
  const isSame = (await readFileIfThere(join(root, credentialsPath))) === credentials;
  if (isSame && (await readFileIfThere(stale)) === undefined) return;
  await writeFileWhole(stale, '');
  await writeRegistryCredentials(plan, node, credentials);
  await exec('nsenter', ['--target', String(boxPid), '--mount', 's6-svc', '-r', '/run/services/kubelet']);
  await rm(stale);
};
