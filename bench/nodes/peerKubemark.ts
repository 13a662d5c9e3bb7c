import { stringify } from 'yaml';
import { spoofed } from '../../common/hollowNodes.ts';
import type { KubeClient } from '../../common/kubeClient.ts';

export const peerNamespace = 'kubemark';
export const peerSet = 'hollow-node';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const merge = 'application/merge-patch+json';

/** The user of all nodes: upstream gives them one kubeconfig, whose user has the role of a node. */
const createUser = async (client: KubeClient): Promise<string> => {
  const accounts = `/api/v1/namespaces/${peerNamespace}/serviceaccounts`;
  const metadata = { name: 'kubelet' };
  await client.send({ method: 'POST', path: accounts, body: { metadata } });
  const body = {
    metadata: { name: 'kubelet-node' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node' },
    subjects: [{ kind: 'ServiceAccount', namespace: peerNamespace, ...metadata }],
  };
  await client.send({ method: 'POST', path: `${rbac}/clusterrolebindings`, body });
  const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } };
  const { status } = await client.send<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `${accounts}/kubelet/token`,
    body: token,
  });
  return status.token;
};

const kubeconfigOf = (token: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'kubemark',
        cluster: {
          server: 'https://kubernetes.default.svc',
          'certificate-authority': '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
        },
      },
    ],
    users: [{ name: 'kubelet', user: { token } }],
    contexts: [{ name: 'kubemark', context: { cluster: 'kubemark', user: 'kubelet' } }],
    'current-context': 'kubemark',
  });

/**
 * kubemark as upstream runs it: pods with one kubeconfig between them and its defaults. Without what runs beside it there (its proxy, a
 * problem detector) and without the node's containerd. Its nodes have our label, so that our policies keep DaemonSets off them too.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/test/kubemark/resources/hollow-node_template.yaml
 */
const setOf = (image: string): object => {
  const labels = { name: peerSet };
  return {
    metadata: { name: peerSet, labels },
    spec: {
      replicas: 0,
      serviceName: peerSet,
      selector: { matchLabels: labels },
      podManagementPolicy: 'Parallel',
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 5,
          tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
          volumes: [{ name: 'kubeconfig-volume', secret: { secretName: 'kubeconfig' } }],
          containers: [
            {
              name: 'hollow-kubelet',
              image,
              imagePullPolicy: 'Never',
              ports: [{ containerPort: 4194 }, { containerPort: 10250 }, { containerPort: 10255 }],
              env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
              args: [
                '--morph=kubelet',
                '--name=$(NODE_NAME)',
                '--kubeconfig=/kubeconfig/kubelet.kubeconfig',
                `--node-labels=${spoofed.key}=${spoofed.value},kubemark=true`,
                '--use-host-image-service=false',
              ],
              volumeMounts: [{ name: 'kubeconfig-volume', mountPath: '/kubeconfig', readOnly: true }],
              resources: { requests: { cpu: '5m', memory: '20Mi' } },
              securityContext: { privileged: true },
            },
          ],
        },
      },
    },
  };
};

/** Everything but nodes. @param image reference of kubemark's image, which the node has */
export const preparePeer = async (client: KubeClient, image: string): Promise<void> => {
  const post = (path: string, body: object): Promise<unknown> => client.send({ method: 'POST', path, body });
  await post('/api/v1/namespaces', {
    metadata: { name: peerNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  });
  const token = await createUser(client);
  await post(`/api/v1/namespaces/${peerNamespace}/secrets`, {
    metadata: { name: 'kubeconfig' },
    stringData: { 'kubelet.kubeconfig': kubeconfigOf(token) },
  });
  await post(`/apis/apps/v1/namespaces/${peerNamespace}/statefulsets`, setOf(image));
};

export const scaleSet = (client: KubeClient, namespace: string, name: string, replicas: number): Promise<unknown> =>
  client.send({
    method: 'PATCH',
    path: `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`,
    body: { spec: { replicas } },
    contentType: merge,
  });
