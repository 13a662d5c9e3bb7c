import type { types } from '@pulumi/kubernetes';
import type { Input } from '@pulumi/pulumi';

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;

/** What a container that needs nothing of its node is held to. */
export const confined = {
  runAsUser: 65532,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const controlPlane = 'node-role.kubernetes.io/control-plane';

/** Any real node. */
export const onAnyNode = { tolerations: [{ key: controlPlane, operator: 'Exists' }] };

/** A control-plane node; where it dies another one soon. */
export const onControlPlane = {
  nodeSelector: { [controlPlane]: '' },
  tolerations: [
    ...onAnyNode.tolerations,
    ...['not-ready', 'unreachable'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 10,
    })),
  ],
};

/** Its own node's API server: by the Service's address it would hang where another node has died. */
export const ownNodesApiServer = [
  { name: 'KUBERNETES_SERVICE_HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
  { name: 'KUBERNETES_SERVICE_PORT', value: '6443' },
];

/** `/healthz` of a port, asked often enough to end a process that hangs within a minute or three. */
export const livenessProbe = (port: string, periodSeconds = 10) => ({
  httpGet: { path: '/healthz', port },
  periodSeconds,
  failureThreshold: 6,
});

export interface ServiceDeploymentArgs {
  /** Its service account, whose name it and its container have too. */
  readonly account: { readonly namespace: string; readonly name: string };
  /** Reference of the image; the nodes have it. */
  readonly image: Input<string>;
  readonly container: Omit<Container, 'name' | 'image' | 'imagePullPolicy' | 'securityContext'>;
  readonly pod: Pick<PodSpec, 'nodeSelector' | 'tolerations' | 'volumes'>;
}

/** A Deployment of one process that works alone: the next one starts when this one has ended. */
export const serviceDeployment = ({ account, image, container, pod }: ServiceDeploymentArgs) => {
  const labels = { app: account.name };
  return {
    metadata: { ...account, labels },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: account.name,
          enableServiceLinks: false,
          priorityClassName: 'system-cluster-critical',
          terminationGracePeriodSeconds: 5,
          ...pod,
          containers: [
            { name: account.name, image, imagePullPolicy: 'Never', securityContext: confined, ...container },
          ],
        },
      },
    },
  };
};
