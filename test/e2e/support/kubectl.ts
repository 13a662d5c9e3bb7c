import { type ExecResult, exec, tryExec } from '../../../common/exec.ts';
import { silentProgress } from '../../../common/progress.ts';
import { ensurePrograms } from '../../../toolchain/index.ts';
import { eventually, type Home } from './home.ts';

/** kubectl as one user of one cluster. */
export interface Kubectl {
  readonly program: string;
  /** Arguments that say who asks which cluster. */
  readonly who: readonly string[];
  /** Standard output. @throws Failure where it does not end well */
  (...args: readonly string[]): Promise<string>;
  try(...args: readonly string[]): Promise<ExecResult>;
  apply(...objects: readonly object[]): Promise<void>;
}

const kubectlAs = (program: string, who: readonly string[]): Kubectl => {
  const timeout = '--request-timeout=10s';
  return Object.assign((...args: readonly string[]) => exec(program, [...who, timeout, ...args]), {
    program,
    who,
    try: (...args: readonly string[]) => tryExec(program, [...who, timeout, ...args]),
    apply: async (...objects: readonly object[]) => {
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      await exec(program, [...who, timeout, 'apply', '--server-side', '-f', '-'], { input });
    },
  });
};

/** As administrator, by what `understudy kubeconfig --path` prints. */
export const kubectlFor = async (home: Home, stack: string): Promise<Kubectl> => {
  const { kubectl } = await ensurePrograms(['kubectl'], silentProgress);
  const { stdout } = await home.run('kubeconfig', stack, '--path');
  return kubectlAs(kubectl, ['--kubeconfig', stdout.trim()]);
};

/** As another user of the same cluster, by a kubeconfig of the box's own. */
export const kubectlOf = (admin: Kubectl, kubeconfig: string, server: string): Kubectl =>
  kubectlAs(admin.program, ['--kubeconfig', kubeconfig, '--server', server]);

export const pluginNamespace = 'openshift-kms-plugin';

/** The image of the KMS plugin: Node without a shell, there on every node. */
export const pluginImage = (kubectl: Kubectl): Promise<string> =>
  kubectl(
    ...['-n', pluginNamespace, 'get', 'daemonset', 'kms-plugin'],
    ...['-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
  );

export const pluginPod = (kubectl: Kubectl): Promise<string> =>
  kubectl('-n', pluginNamespace, 'get', 'pod', '-l', 'app=kms-plugin', '-o', 'jsonpath={.items[0].metadata.name}');

/** A container that runs one JavaScript program. */
export const nodeContainer = (image: string, script: string): object => ({
  name: 'node',
  image,
  imagePullPolicy: 'Never',
  command: ['/usr/bin/node', '-e', script],
});

/** Runs a JavaScript program in a pod to its end; what it printed. */
export const runInPod = async (kubectl: Kubectl, name: string, image: string, script: string): Promise<string> => {
  await kubectl.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { restartPolicy: 'Never', containers: [nodeContainer(image, script)] },
  });
  const phase = await eventually(`the end of pod ${name}`, async () => {
    const now = await kubectl('get', 'pod', name, '-o', 'jsonpath={.status.phase}');
    if (now === 'Succeeded' || now === 'Failed') return now;
    throw new Error(`it is ${now}`);
  });
  const log = await kubectl('logs', name);
  if (phase === 'Failed') throw new Error(`pod ${name} failed: ${log}`);
  await kubectl('delete', 'pod', name, '--wait=false');
  return log;
};

export const createSecret = (kubectl: Kubectl, name: string, plain: string): Promise<string> =>
  kubectl('create', 'secret', 'generic', name, `--from-literal=plain=${plain}`);

export const readSecret = async (kubectl: Kubectl, name: string): Promise<string> =>
  Buffer.from(await kubectl('get', 'secret', name, '-o', 'jsonpath={.data.plain}'), 'base64').toString();
