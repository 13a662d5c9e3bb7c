import { stringify } from 'yaml';
import { capacityOf, type HollowGroup, labelsOf, type Taint, taintsOf } from '../../common/hollowGroups.ts';

/** Where a pod has its identity while it lives: a certificate of its own, and the kubeconfig that names it. */
export const identityDir = '/identity';
/** Where the kubeconfig is with which it asks for that. */
export const bootstrapDir = '/etc/hollow-node';
export const bootstrapFile = 'bootstrap.kubeconfig';

const accountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Who the pod is before it is a node: its service account. It holds no secret, only where those are. */
export const bootstrapKubeconfig = (): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'own',
        cluster: { server: 'https://kubernetes.default.svc', 'certificate-authority': `${accountDir}/ca.crt` },
      },
    ],
    users: [{ name: 'pod', user: { tokenFile: `${accountDir}/token` } }],
    contexts: [{ name: 'pod', context: { cluster: 'own', user: 'pod' } }],
    'current-context': 'pod',
  });

/** Of kubelet's read-only port: it tells whether the kubelet lives. */
export const healthPort = 10255;

const pairs = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

const taintText = ({ key, value, effect }: Taint): string => `${key}=${value ?? ''}:${effect}`;

/**
 * Arguments of kubemark in a pod that knows its name as NODE_NAME. CPU and memory go as extended resources: it has no other flag for them, and
 * what is said there counts.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubemark/app/hollow_node.go
 */
export const kubemarkArguments = (group: HollowGroup): readonly string[] => {
  const { pods, ...resources } = capacityOf(group);
  return [
    '--morph=kubelet',
    '--name=$(NODE_NAME)',
    `--bootstrap-kubeconfig=${bootstrapDir}/${bootstrapFile}`,
    `--kubeconfig=${identityDir}/kubeconfig`,
    `--cert-dir=${identityDir}`,
    `--node-labels=${pairs(labelsOf(group))}`,
    `--register-with-taints=${taintsOf(group).map(taintText).join(',')}`,
    `--max-pods=${pods}`,
    `--extended-resources=${pairs(resources)}`,
    // The default would pull real images through the node's containerd.
    '--use-host-image-service=false',
    `--kubelet-read-only-port=${healthPort}`,
  ];
};
