import { isDeepStrictEqual } from 'node:util';
import { type ConditionWish, complete } from '../conditions.ts';
import type { OperatorCondition, OperatorObject } from '../observation.ts';
import { type Inertia, type Union, unionCondition } from './union.ts';

interface ObjectReference {
  readonly group: string;
  readonly resource: string;
  /** Empty for all of that resource. */
  readonly name: string;
}

/** `status` of a ClusterOperator. */
export interface ClusterOperatorStatus {
  readonly conditions: readonly OperatorCondition[];
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  readonly relatedObjects: readonly ObjectReference[];
}

export interface ClusterOperatorInput {
  readonly operator: Pick<OperatorObject, 'managementState' | 'conditions'>;
  /** What the object says now. */
  readonly shown: Partial<ClusterOperatorStatus>;
  /** Of the cluster's kube-apiserver: `1.36.3`. */
  readonly version: string;
  /** Of Degraded. */
  readonly inertia: Inertia;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ClusterOperatorOutcome {
  readonly status: ClusterOperatorStatus;
  /** Whether it differs from what is shown. */
  readonly changed: boolean;
  /** Milliseconds after which it is another one, though nothing else changes; undefined: never. */
  readonly recheckAfterMs: number | undefined;
}

const minuteMs = 60_000;
/** What a node that starts again upsets for longer. */
const patient = new Set(['NodeControllerDegraded', 'StaticPodsDegraded', 'GuardControllerDegraded']);

/** @see https://github.com/openshift/cluster-kube-apiserver-operator/blob/main/pkg/operator/starter.go newDegradedInertia */
export const openShiftInertia: Inertia = ({ type }) => (patient.has(type) ? 10 : 2) * minuteMs;

/** Those of cluster-kube-apiserver-operator that exist here, and ours. */
const relatedObjects: readonly ObjectReference[] = [
  { group: 'operator.openshift.io', resource: 'kubeapiservers', name: 'cluster' },
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', name: '' },
  { group: '', resource: 'namespaces', name: 'openshift-config' },
  { group: '', resource: 'namespaces', name: 'openshift-config-managed' },
  { group: '', resource: 'namespaces', name: 'openshift-kube-apiserver-operator' },
  { group: '', resource: 'namespaces', name: 'openshift-kube-apiserver' },
  { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations', name: '' },
  { group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations', name: '' },
  { group: '', resource: 'namespaces', name: 'openshift-kms-plugin' },
  { group: 'understudy.dev', resource: 'kmsbackends', name: 'cluster' },
];

const unmanaged = (type: string): Union => ({ condition: { type, status: 'Unknown', reason: 'Unmanaged' } });

const unions = ({ operator, inertia, now }: ClusterOperatorInput): readonly Union[] => {
  const { managementState, conditions } = operator;
  const union = (type: string, usual: 'True' | 'False', ...held: readonly Inertia[]): Union =>
    managementState === 'Unmanaged' ? unmanaged(type) : unionCondition(type, usual, conditions, now, ...held);
  return [
    union('Degraded', 'False', inertia),
    union('Progressing', 'False'),
    union('Available', 'True'),
    union('Upgradeable', 'True'),
    union('EvaluationConditionsDetected', 'False'),
  ];
};

/**
 * What ClusterOperator/kube-apiserver is to say of the KubeAPIServer.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/status/status_controller.go
 */
export const clusterOperatorStatus = (input: ClusterOperatorInput): ClusterOperatorOutcome => {
  const { shown, version, now } = input;
  const found = unions(input);
  const wishes: readonly ConditionWish[] = found.map(({ condition }) => condition);
  const { conditions, changed } = complete(wishes, shown.conditions ?? [], now);
  const versions = ['operator', 'kube-apiserver'].map((name) => ({ name, version }));
  const changesAt = found.flatMap((union) => union.changesAt ?? []);
  return {
    status: { conditions, versions, relatedObjects },
    changed:
      changed ||
      !isDeepStrictEqual(shown.versions, versions) ||
      !isDeepStrictEqual(shown.relatedObjects, relatedObjects),
    recheckAfterMs: changesAt.length === 0 ? undefined : Math.min(...changesAt) - now,
  };
};
