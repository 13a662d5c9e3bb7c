import type { ManagedConditions } from '../action.ts';
import { isTrue, manage } from '../conditions.ts';
import type { Observation } from '../observation.ts';
import { isManaged } from '../preconditions.ts';

/**
 * Condition StaticPodsAvailable, which OpenShift's installer controller writes by revisions, and which makes
 * ClusterOperator/kube-apiserver available. Never False: nobody could read it. While no API server answers, what was said
 * last stays.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/staticpod/controller/installer/installer_controller.go
 */
export const nodesActive = (observation: Observation, now: number): readonly ManagedConditions[] => {
  const { operator, controlPlane, apiServers } = observation;
  if (operator === undefined || !isManaged(operator.managementState)) return [];
  const answering = new Set(apiServers.filter(({ failure }) => failure === undefined).map(({ node }) => node));
  if (answering.size === 0) return [];
  const silent = controlPlane.filter((node) => !answering.has(node));
  const message = [
    `${answering.size} nodes are active`,
    ...(silent.length === 0 ? [] : [`no answer from ${silent.join(', ')}`]),
  ].join('; ');
  return [manage('StaticPods', [isTrue('StaticPodsAvailable', 'AsExpected', message)], operator.conditions, now)];
};
