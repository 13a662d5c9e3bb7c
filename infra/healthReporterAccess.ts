/** Who health reporters are. */
export const reporterAccount = { namespace: 'openshift-kube-apiserver', name: 'kms-health-reporter' };

/** All that they may do: read the status of the one object that they report to, and apply to it. */
export const reporterRules = [
  {
    apiGroups: ['operator.openshift.io'],
    resources: ['kubeapiservers/status'],
    resourceNames: ['cluster'],
    verbs: ['get', 'patch'],
  },
];

/**
 * How many of them an API server works on at a time: as few as it lets anybody have. They all write to one object, so those that it
 * works on at once undo one another's work: without it a hundred nodes brought it to do next to nothing else.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
export const reporterPriority = {
  type: 'Limited',
  limited: {
    nominalConcurrencyShares: 1,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1_000 } },
  },
};

/** What of an API server's requests that is about. */
export const reporterFlow = {
  // Before OpenShift's and Kubernetes' own for service accounts.
  matchingPrecedence: 500,
  priorityLevelConfiguration: { name: reporterAccount.name },
  rules: [
    {
      subjects: [{ kind: 'ServiceAccount', serviceAccount: reporterAccount }],
      resourceRules: [{ apiGroups: ['operator.openshift.io'], resources: ['*'], verbs: ['*'], clusterScope: true }],
    },
  ],
};
