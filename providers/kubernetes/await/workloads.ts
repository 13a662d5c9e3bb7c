import { isMap, type PropertyMap } from '../../protocol/values.ts';
import { at, type KubeObject, listAt, mapAt, numberAt, stringAt } from '../objects.ts';
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

/** What keeps a pod's containers from running, one line each. */
export const containerProblems = (pod: KubeObject): readonly string[] =>
  [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')]
    .filter(isMap)
    .flatMap((container) => {
      if (container.ready === true) return [];
      const state = (key: string, ...path: string[]): PropertyMap | undefined => {
        const found = at(container, ...path, key);
        return isMap(found) ? found : undefined;
      };
      const stuck = state('waiting', 'state');
      const ended = state('terminated', 'state') ?? state('terminated', 'lastState');
      const harmless = ['ContainerCreating', 'PodInitializing', 'Completed'];
      return [stuck, ended]
        .filter((part) => part !== undefined && !harmless.includes(stringAt(part, 'reason') ?? ''))
        .map((part) => `container ${stringAt(container, 'name')}: ${reasonOf(part) || 'ended'}${exitCodeOf(part)}`);
    });

const exitCodeOf = (state: PropertyMap | undefined): string => {
  const code = numberAt(state, 'exitCode');
  return code === undefined ? '' : ` (exit code ${code})`;
};

export const podReady = (live: KubeObject): Verdict => {
  const phase = stringAt(live, 'status', 'phase');
  if (phase === 'Succeeded' || isTrue(statusCondition(live, 'Ready'))) return ready;
  const problems = containerProblems(live).join('; ');
  if (phase === 'Failed') return failed(problems || reasonOf(mapAt(live, 'status')) || 'the pod failed');
  const scheduled = statusCondition(live, 'PodScheduled');
  if (scheduled !== undefined && !isTrue(scheduled)) return waiting(reasonOf(scheduled) || 'not scheduled yet');
  return waiting(problems || reasonOf(statusCondition(live, 'Ready')) || 'the pod is not ready');
};
