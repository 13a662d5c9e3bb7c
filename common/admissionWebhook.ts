import { hollowNamespace } from './hollowNodes.ts';

/** Name of the webhook's Deployment, Service, service account and webhook configuration. */
export const admissionWebhookName = 'admission-webhook';

/** The Secret with its certificates and keys; nobody else reads it. */
export const admissionTlsSecret = 'admission-webhook-tls';

/** What the API server calls it, and so what its certificate says. */
export const admissionServerName = `${admissionWebhookName}.${hollowNamespace}.svc`;

/** Where the service answers what. */
export const admissionPaths = { uids: '/uids', placement: '/placement', namespaces: '/namespaces' } as const;

/**
 * Label of a namespace, in step with its annotation `spoofed`: a webhook configuration chooses namespaces by labels alone.
 */
export const spoofedLabel = 'understudy.dev/spoofed';

export const uidModes = ['off', 'openshift', 'random'] as const;
export type UidMode = (typeof uidModes)[number];

/**
 * Namespaces whose pods get no UID: OpenShift's highly privileged ones, to which its security context constraints are not applied, and ours.
 * @see https://docs.openshift.com/container-platform/4.15/authentication/understanding-and-managing-pod-security-admission.html
 */
export const withoutUids = {
  names: ['default', 'openshift', hollowNamespace],
  prefixes: ['kube-', 'openshift-'],
  /** Of OpenShift's label `openshift.io/run-level`. */
  runLevels: ['0', '1'],
} as const;
