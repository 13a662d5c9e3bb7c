import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { exec } from '../../common/exec.ts';
import { UsageFailure } from '../../common/failure.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { requireKubeconfigFile } from '../kubeconfig.ts';
import type { LogsOptions } from '../logs.ts';
import type { Stack } from '../stack.ts';

const plugin = 'kms-plugin';

/** Prints the logs of the plugin's DaemonSet; all else on the cluster is its own. */
export const cloudLogs = async (stack: Stack, component: string, options: LogsOptions): Promise<void> => {
  const tried = `read the log of ${component}`;
  if (component !== plugin || stack.settings.cloud.deployment !== 'daemonset') {
    throw new UsageFailure({
      tried,
      got: `the cluster of stack ${stack.name} is not Understudy's own: it runs nothing there but a DaemonSet ${plugin}, if that is its deployment`,
      next: "use 'oc logs', or 'oc adm node-logs'",
    });
  }
  const kubeconfig = await requireKubeconfigFile(stack, tried);
  const { kubectl } = await ensurePrograms(['kubectl'], silentProgress);
  const inNamespace = ['--kubeconfig', kubeconfig, '--namespace', 'openshift-kms-plugin'];
  const onNode = options.node === undefined ? [] : ['--field-selector', `spec.nodeName=${options.node}`];
  const next = `'understudy status ${stack.name}' tells whether the cluster is well`;
  const listed = ['get', 'pods', '--selector', `app=${plugin}`, ...onNode, '--output', 'name'];
  const pods = (await exec(kubectl, [...inNamespace, ...listed], { next })).split('\n').filter((name) => name !== '');
  if (pods.length === 0) {
    const where = options.node === undefined ? 'there' : `on node '${options.node}'`;
    throw new UsageFailure({ tried, got: `it does not run ${where}`, next: `run 'understudy up ${stack.name}'` });
  }
  const follow = options.follow === true ? ['--follow'] : [];
  await Promise.all(
    pods.map(async (pod) => {
      const logs = ['logs', pod, '--prefix', `--tail=${Number(options.lines)}`, ...follow];
      await once(spawn(kubectl, [...inNamespace, ...logs], { stdio: 'inherit' }), 'close');
    }),
  );
};
