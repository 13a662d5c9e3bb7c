/** All that a health reporter may do: read the status of the one object that it reports to, and apply to it. */
export const reporterRules = [
  {
    apiGroups: ['operator.openshift.io'],
    resources: ['kubeapiservers/status'],
    resourceNames: ['cluster'],
    verbs: ['get', 'patch'],
  },
];
