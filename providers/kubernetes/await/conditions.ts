import { type KubeObject, listAt, mapAt, stringAt, type TypeMeta } from '../objects.ts';
import { type Condition, isTrue, ready, reasonOf, statusCondition, type Verdict, waiting } from './verdict.ts';
import { daemonSetReady, deploymentReady, jobComplete, podReady, statefulSetReady } from './workloads.ts';

const volumeReady = (live: KubeObject): Verdict => {
  const phase = stringAt(live, 'status', 'phase') ?? 'Pending';
  return phase === 'Available' || phase === 'Bound' ? ready : waiting(`the volume is ${phase}`);
};

/** A claim whose storage class binds at the first pod stays pending until there is one: see `claimBindsLater`. */
export const claimBound = (live: KubeObject): Verdict => {
  const phase = stringAt(live, 'status', 'phase') ?? 'Pending';
  return phase === 'Bound' ? ready : waiting(`the claim is ${phase}`);
};

const tokenIssued = (live: KubeObject): Verdict =>
  stringAt(live, 'type') !== 'kubernetes.io/service-account-token' || Object.keys(mapAt(live, 'data')).length > 0
    ? ready
    : waiting('the token is not issued yet');

const definitionEstablished = (live: KubeObject): Verdict => {
  const rejected = statusCondition(live, 'NamesAccepted');
  if (rejected?.status === 'False') return waiting(reasonOf(rejected));
  return isTrue(statusCondition(live, 'Established')) ? ready : waiting('the API server does not serve it yet');
};

const addressAssigned = (live: KubeObject): Verdict =>
  stringAt(live, 'spec', 'type') !== 'LoadBalancer' || listAt(live, 'status', 'loadBalancer', 'ingress').length > 0
    ? ready
    : waiting('no load balancer has given it an address');

const conditions: Readonly<Record<string, Condition>> = {
  'apps/v1/Deployment': deploymentReady,
  'apps/v1/DaemonSet': daemonSetReady,
  'apps/v1/StatefulSet': statefulSetReady,
  'batch/v1/Job': jobComplete,
  'v1/Pod': podReady,
  'v1/PersistentVolume': volumeReady,
  'v1/PersistentVolumeClaim': claimBound,
  'v1/Secret': tokenIssued,
  'v1/Service': addressAssigned,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': definitionEstablished,
};

/** What to wait for after an object of this kind was written; undefined where it is ready as soon as it is stored. */
export const conditionFor = ({ apiVersion, kind }: TypeMeta): Condition | undefined =>
  conditions[`${apiVersion}/${kind}`];
