import {
  admissionPaths,
  admissionServerName,
  admissionTlsSecret,
  admissionWebhookName,
  spoofedLabel,
  type UidMode,
  withoutUids,
} from '../common/admissionWebhook.ts';
import { hollowNamespace } from '../common/hollowNodes.ts';

/** What the webhook is there for. */
export interface AdmissionJobs {
  readonly uids: UidMode;
  /** Whether it places pods. */
  readonly placement: boolean;
}

/** Where the API server finds a path of the webhook. */
export type ClientConfig =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly path: string } }
  | { readonly url: string };

/** By its Service. */
export const admissionService = (path: string): ClientConfig => ({
  service: { namespace: hollowNamespace, name: admissionWebhookName, path },
});

const nameLabel = 'kubernetes.io/metadata.name';
const runLevelLabel = 'openshift.io/run-level';

const notIn = (key: string, values: readonly string[]) => ({ key, operator: 'NotIn', values: [...values] });

/** Without them nothing would start any more, this webhook neither. */
const essential = notIn(nameLabel, ['kube-system', hollowNamespace]);

const rule = (apiGroup: string, resources: string[], operations: string[], scope = 'Namespaced') => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  resources,
  operations,
  scope,
});

const hasNonRoot = (at: string): string =>
  `has(${at}.securityContext) && has(${at}.securityContext.runAsNonRoot) && ${at}.securityContext.runAsNonRoot`;

/** Those that no container of may be root: no other pod has to wait for the webhook. */
const mayNeedUid = [
  `(${hasNonRoot('object.spec')})`,
  ...['initContainers', 'containers', 'ephemeralContainers'].map(
    (list) => `(has(object.spec.${list}) && object.spec.${list}.exists(c, ${hasNonRoot('c')}))`,
  ),
].join(' || ');

const shared = (path: string, clientConfig: (path: string) => ClientConfig) => ({
  admissionReviewVersions: ['v1'],
  clientConfig: clientConfig(path),
  // A UID of a webhook, or a container, that comes after it counts too.
  reinvocationPolicy: 'IfNeeded',
});

const uidWebhook = (clientConfig: (path: string) => ClientConfig) => ({
  ...shared(admissionPaths.uids, clientConfig),
  name: `uids.${admissionServerName}`,
  rules: [rule('', ['pods'], ['CREATE']), rule('', ['pods/ephemeralcontainers'], ['UPDATE'])],
  namespaceSelector: {
    matchExpressions: [
      notIn(nameLabel, ['kube-system', ...withoutUids.names]),
      notIn(runLevelLabel, withoutUids.runLevels),
    ],
  },
  matchConditions: [
    {
      name: 'namespace',
      expression: withoutUids.prefixes.map((prefix) => `!request.namespace.startsWith('${prefix}')`).join(' && '),
    },
    { name: 'must-not-be-root', expression: mayNeedUid },
  ],
  failurePolicy: 'Ignore',
  timeoutSeconds: 3,
  // A range for the namespace.
  sideEffects: 'NoneOnDryRun',
});

const placementWebhook = (
  name: string,
  clientConfig: (path: string) => ClientConfig,
  isSpoofed: boolean,
  failurePolicy: 'Fail' | 'Ignore',
) => ({
  ...shared(admissionPaths.placement, clientConfig),
  name: `${name}.${admissionServerName}`,
  rules: [rule('', ['pods'], ['CREATE']), rule('apps', ['daemonsets'], ['CREATE', 'UPDATE'])],
  namespaceSelector: {
    matchExpressions: [essential, { key: spoofedLabel, operator: isSpoofed ? 'In' : 'NotIn', values: ['true'] }],
  },
  failurePolicy,
  timeoutSeconds: 3,
  sideEffects: 'None',
});

const namespaceWebhook = (clientConfig: (path: string) => ClientConfig) => ({
  ...shared(admissionPaths.namespaces, clientConfig),
  name: `namespaces.${admissionServerName}`,
  rules: [rule('', ['namespaces'], ['CREATE', 'UPDATE'], 'Cluster')],
  namespaceSelector: { matchExpressions: [essential] },
  failurePolicy: 'Ignore',
  timeoutSeconds: 2,
  sideEffects: 'None',
});

/**
 * The MutatingWebhookConfiguration, without `caBundle`: the webhook writes that itself. While it is down, only pods and DaemonSets of
 * namespaces on hollow nodes are refused, lest they land on real ones.
 */
export const admissionWebhookConfiguration = (
  { uids, placement }: AdmissionJobs,
  clientConfig: (path: string) => ClientConfig = admissionService,
) => ({
  metadata: { name: admissionWebhookName, labels: { app: admissionWebhookName } },
  webhooks: [
    ...(uids === 'off' ? [] : [uidWebhook(clientConfig)]),
    ...(placement
      ? [
          placementWebhook('placement-hollow', clientConfig, true, 'Fail'),
          placementWebhook('placement', clientConfig, false, 'Ignore'),
          namespaceWebhook(clientConfig),
        ]
      : []),
  ],
});

export const admissionAccount = { namespace: hollowNamespace, name: admissionWebhookName };

/** All that it may do. */
export const admissionRules = ({ uids, placement }: AdmissionJobs) => ({
  cluster: [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations'],
      resourceNames: [admissionWebhookName],
      verbs: ['get', 'list', 'watch', 'patch'],
    },
    ...(uids === 'openshift' || placement
      ? [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch', 'patch'] }]
      : []),
  ],
  namespaced: [
    {
      namespace: hollowNamespace,
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: [admissionTlsSecret],
          verbs: ['get', 'list', 'watch', 'create', 'patch'],
        },
      ],
    },
  ],
});
