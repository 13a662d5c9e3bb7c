import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Failure } from '../common/failure.ts';
import { boxPid } from './box.ts';
import { type ClusterPlan, kubernetesNodesOf, type NodePlan } from './plan.ts';

/** Components that live by watching an API server. */
const watchers = ['kube-controller-manager', 'kube-scheduler', 'coredns', 'kubelet', 'kube-proxy'];

const signalWatchers = (signal: 'p' | 'c'): string =>
  watchers.map((name) => `[ ! -d /run/services/${name} ] || s6-svc -${signal} /run/services/${name}`).join('\n');

/** The shell waits for the end of its input, so the components go on also if this process is killed. */
const pauseScript = [signalWatchers('p'), 'echo paused', 'cat > /dev/null', signalWatchers('c')].join('\n');

/** Stops the components of a box that watch API servers. @returns what lets them go on */
const pauseWatchers = async (plan: ClusterPlan, node: NodePlan): Promise<() => Promise<void>> => {
  const pid = await boxPid(plan.id, node.name);
  const child = spawn('nsenter', ['--target', String(pid), '--mount', 'sh', '-c', pauseScript], {
    // A signal to this process's group must not end it: who would let the components go on?
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const paused = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)]);
  if (paused === undefined) {
    throw new Failure({
      tried: `pause the clients of the API servers on ${node.name}`,
      got: 'its box does not run',
      next: `run 'understudy up ${plan.spec.name}'`,
    });
  }
  return async () => {
    child.stdin.end();
    await ended;
  };
};

/**
 * Does something during which no API server may answer, while what watches them stands still: it goes on as if nothing
 * had been. Otherwise it would be refused, try again after growing pauses, and know no new object for up to 10 s.
 */
export const whileWatchersPause = async (plan: ClusterPlan, work: () => Promise<void>): Promise<void> => {
  const resumes = await Promise.all(kubernetesNodesOf(plan).map((node) => pauseWatchers(plan, node)));
  try {
    await work();
  } finally {
    await Promise.all(resumes.map((resume) => resume()));
  }
};
