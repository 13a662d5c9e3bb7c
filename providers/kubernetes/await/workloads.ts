import { at, type KubeObject, mapAt, numberAt, stringAt } from '../objects.ts';
import { containerProblems, isPodReady } from './troubles.ts';
import { failed, isTrue, ready, reasonOf, statusCondition, type Verdict, waiting } from './verdict.ts';

// The rules are those of kubectl rollout status and of kstatus (sigs.k8s.io/cli-utils), which the official provider follows.

const observed = (live: KubeObject): boolean =>
  (numberAt(live, 'status', 'observedGeneration') ?? -1) >= (numberAt(live, 'metadata', 'generation') ?? 0);

const count = (live: KubeObject, field: string): number => numberAt(live, 'status', field) ?? 0;

export const deploymentReady = (live: KubeObject): Verdict => {
  const progressing = statusCondition(live, 'Progressing');
  if (!observed(live)) return waiting('the deployment controller has not seen it yet');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return failed(reasonOf(progressing));
  const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
  const [updated, available] = [count(live, 'updatedReplicas'), count(live, 'availableReplicas')];
  if (updated < replicas) return waiting(`${updated} of ${replicas} pods are of the new version`);
  if (count(live, 'replicas') > updated)
    return waiting(`${count(live, 'replicas') - updated} old pods are still there`);
  if (available < replicas) return waiting(`${available} of ${replicas} pods are available`);
  const unavailable = statusCondition(live, 'Available');
  return unavailable === undefined || isTrue(unavailable) ? ready : waiting(reasonOf(unavailable));
};

export const daemonSetReady = (live: KubeObject): Verdict => {
  if (!observed(live) || at(live, 'status', 'desiredNumberScheduled') === undefined) {
    return waiting('the daemon set controller has not seen it yet');
  }
  const desired = count(live, 'desiredNumberScheduled');
  const updated = count(live, 'updatedNumberScheduled');
  const rolls = stringAt(live, 'spec', 'updateStrategy', 'type') !== 'OnDelete';
  if (rolls && updated < desired) return waiting(`${updated} of ${desired} pods are of the new version`);
  const available = Math.min(count(live, 'numberAvailable'), count(live, 'numberReady'));
  return available < desired ? waiting(`${available} of ${desired} pods are ready`) : ready;
};

export const statefulSetReady = (live: KubeObject): Verdict => {
  if (!observed(live)) return waiting('the stateful set controller has not seen it yet');
  const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
  const readyReplicas = count(live, 'readyReplicas');
  if (readyReplicas < replicas) return waiting(`${readyReplicas} of ${replicas} pods are ready`);
  if (stringAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete') return ready;
  const partition = numberAt(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const updated = count(live, 'updatedReplicas');
  if (updated < replicas - partition)
    return waiting(`${updated} of ${replicas - partition} pods are of the new version`);
  const sameRevision = stringAt(live, 'status', 'currentRevision') === stringAt(live, 'status', 'updateRevision');
  return partition > 0 || sameRevision ? ready : waiting('the rollout is not complete');
};

export const jobComplete = (live: KubeObject): Verdict => {
  const failure = statusCondition(live, 'Failed');
  if (isTrue(failure)) return failed(reasonOf(failure));
  if (isTrue(statusCondition(live, 'Complete'))) return ready;
  if (at(live, 'spec', 'suspend') === true) return ready;
  const completions = numberAt(live, 'spec', 'completions') ?? 1;
  return waiting(`${count(live, 'succeeded')} of ${completions} pods have succeeded, ${count(live, 'failed')} failed`);
};

export const podReady = (live: KubeObject): Verdict => {
  const phase = stringAt(live, 'status', 'phase');
  if (isPodReady(live)) return ready;
  const problems = containerProblems(live).join('; ');
  if (phase === 'Failed') return failed(problems || reasonOf(mapAt(live, 'status')) || 'the pod failed');
  const scheduled = statusCondition(live, 'PodScheduled');
  if (scheduled !== undefined && !isTrue(scheduled)) return waiting(reasonOf(scheduled) || 'not scheduled yet');
  return waiting(problems || reasonOf(statusCondition(live, 'Ready')) || 'the pod is not ready');
};
