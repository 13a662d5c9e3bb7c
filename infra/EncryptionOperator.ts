import { DaemonSet } from '@pulumi/kubernetes/apps/v1/daemonSet.js';
import { Deployment } from '@pulumi/kubernetes/apps/v1/deployment.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { manifestsDir } from '../common/apiServerPods.ts';
import { openShiftNamespaces } from './OpenShiftNamespaces.ts';
import { Permissions } from './Permissions.ts';
import { confined, onControlPlane, ownNodesApiServer, serviceDeployment } from './serviceDeployment.ts';

export interface EncryptionOperatorArgs {
  /** Reference of the operator's image; the nodes have it. */
  readonly image: Input<string>;
  /** From one report of a KMS plugin's health to the next, as a Go duration. */
  readonly healthInterval: string;
  /** What runs kube-apiserver on a node: a pair of s6 services, or the kubelet by a static pod. */
  readonly apiServer: 's6' | 'static-pod';
}

const { config, configManaged, kubeApiServer, kubeApiServerOperator } = openShiftNamespaces;

const metricsPort = 9810;

/** Those whose KMS plugins' health is rolled up. */
const operands = ['kubeapiservers', 'openshiftapiservers', 'authentications'];

const controlPlane = 'node-role.kubernetes.io/control-plane';

/** Folders of a control-plane node that the installer works in. */
const nodeFolders = {
  encryption: '/etc/kubernetes/encryption',
  keystore: '/var/lib/kms-plugin',
  sockets: '/var/run/kmsplugin',
  'health-reporter': '/etc/kubernetes/kms-health-reporter',
} as const;

/** By which the installer starts and ends kube-apiserver where s6 runs it. */
const serviceFolders = {
  'apiserver-a': '/run/services/kube-apiserver-a/supervise',
  'apiserver-b': '/run/services/kube-apiserver-b/supervise',
} as const;

/** By which it does where the kubelet runs it. Who writes there has whatever runs on the node, as OpenShift's installer does. */
const manifestFolders = { manifests: manifestsDir } as const;

/** One of a kind of which OpenShift has many; it is listed and watched by its name. */
export const clusterOperatorRules = [
  { resources: ['clusteroperators'], verbs: ['get', 'list', 'watch'] },
  { resources: ['clusteroperators/status'], verbs: ['get', 'patch', 'update'] },
].map((rule) => ({ apiGroups: ['config.openshift.io'], resourceNames: ['kube-apiserver'], ...rule }));

/** The stand-in for OpenShift's encryption controllers, and its hand on every control-plane node. */
export class EncryptionOperator extends ComponentResource {
  constructor(name: string, args: EncryptionOperatorArgs, options?: ComponentResourceOptions) {
    super('understudy:index:EncryptionOperator', name, {}, options);
    this.operator(`${name}-operator`, args);
    this.installer(`${name}-installer`, args);
    this.registerOutputs();
  }

  private operator(name: string, { image, healthInterval }: EncryptionOperatorArgs): void {
    const parent = { parent: this };
    const account = { namespace: kubeApiServerOperator, name: 'kube-apiserver-operator' };
    const permissions = new Permissions(
      name,
      {
        account,
        cluster: [
          { apiGroups: ['config.openshift.io'], resources: ['apiservers'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: ['operator.openshift.io'], resources: operands, verbs: ['get', 'list', 'watch'] },
          {
            apiGroups: ['operator.openshift.io'],
            resources: operands.map((operand) => `${operand}/status`),
            resourceNames: ['cluster'],
            verbs: ['get', 'patch', 'update'],
          },
          ...clusterOperatorRules,
          { apiGroups: ['understudy.dev'], resources: ['kmsbackends'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
          // Migration writes every one of them again.
          { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get', 'list', 'update', 'patch'] },
          {
            apiGroups: ['migration.k8s.io', 'storagemigration.k8s.io'],
            resources: ['storageversionmigrations'],
            verbs: ['get', 'list', 'watch', 'create', 'delete'],
          },
          { nonResourceURLs: ['/metrics', '/readyz', '/readyz/*', '/healthz/*', '/livez'], verbs: ['get'] },
        ],
        namespaced: [
          {
            namespace: configManaged,
            rules: [
              {
                apiGroups: [''],
                resources: ['secrets'],
                verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
              },
            ],
          },
          { namespace: config, rules: [{ apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] }] },
          {
            namespace: kubeApiServer,
            rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'update', 'patch'] }],
          },
          {
            namespace: kubeApiServerOperator,
            rules: [
              { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
              {
                apiGroups: ['coordination.k8s.io'],
                resources: ['leases'],
                verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
              },
              { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
            ],
          },
          {
            namespace: 'openshift-kms-plugin',
            rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
          },
        ],
      },
      parent,
    );
    const deployment = serviceDeployment({
      account,
      image,
      pod: onControlPlane,
      container: {
        args: ['operator', `--health-interval=${healthInterval}`, `--metrics-addr=:${metricsPort}`],
        env: ownNodesApiServer,
        ports: [{ name: 'metrics', containerPort: metricsPort }],
        resources: { requests: { cpu: '10m', memory: '96Mi' } },
      },
    });
    new Deployment(`${name}-deployment`, deployment, { parent: this, dependsOn: [permissions] });
  }

  private installer(name: string, { image, apiServer }: EncryptionOperatorArgs): void {
    const isStaticPod = apiServer === 'static-pod';
    const supervision = isStaticPod ? manifestFolders : serviceFolders;
    const folders = { ...nodeFolders, ...supervision };
    const parent = { parent: this };
    const account = { namespace: kubeApiServer, name: 'installer' };
    const labels = { app: 'installer' };
    const permissions = new Permissions(
      name,
      {
        account,
        cluster: [
          { apiGroups: ['understudy.dev'], resources: ['kmsbackends'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: ['understudy.dev'], resources: ['kmsbackends/status'], verbs: ['get', 'patch'] },
          {
            apiGroups: ['operator.openshift.io'],
            resources: ['kubeapiservers', 'kubeapiservers/status'],
            resourceNames: ['cluster'],
            verbs: ['get', 'patch'],
          },
          { nonResourceURLs: ['/metrics', '/readyz', '/readyz/*', '/healthz/*', '/livez'], verbs: ['get'] },
        ],
        namespaced: [
          {
            namespace: kubeApiServer,
            rules: [
              {
                apiGroups: [''],
                resources: ['secrets'],
                resourceNames: ['encryption-config', 'kms-health-reporter-token'],
                verbs: ['get', 'list', 'watch'],
              },
              // Whose turn it is to hand over. Of what is to be made, no role can give the name.
              { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
              {
                apiGroups: ['coordination.k8s.io'],
                resources: ['leases'],
                resourceNames: ['installer-turn'],
                verbs: ['get', 'update'],
              },
            ],
          },
          // Whether a kube-apiserver that it has started ended, and why.
          ...(isStaticPod
            ? [{ namespace: 'kube-system', rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }]
            : []),
        ],
      },
      parent,
    );
    const field = (fieldPath: string) => ({ fieldRef: { fieldPath } });
    new DaemonSet(
      `${name}-daemonset`,
      {
        metadata: { ...account, labels },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: account.name,
              enableServiceLinks: false,
              // At the loopback it meets the one of two API servers that the node's address does not lead to.
              hostNetwork: true,
              priorityClassName: 'system-node-critical',
              nodeSelector: { [controlPlane]: '' },
              tolerations: [{ operator: 'Exists' }],
              terminationGracePeriodSeconds: 5,
              containers: [
                {
                  name: 'installer',
                  image,
                  imagePullPolicy: 'Never',
                  args: ['installer', ...(isStaticPod ? [`--api-server=${apiServer}`] : [])],
                  env: [
                    { name: 'NODE_NAME', valueFrom: field('spec.nodeName') },
                    { name: 'NODE_IP', valueFrom: field('status.hostIP') },
                  ],
                  resources: { requests: { cpu: '10m', memory: '64Mi' } },
                  // Files of kube-apiserver and of its supervisor belong to root.
                  securityContext: { ...confined, runAsUser: 0, runAsNonRoot: false },
                  volumeMounts: Object.entries(folders).map(([volume, mountPath]) => ({ name: volume, mountPath })),
                },
              ],
              volumes: Object.entries(folders).map(([volume, path]) => ({
                name: volume,
                hostPath: { path, type: Object.hasOwn(supervision, volume) ? 'Directory' : 'DirectoryOrCreate' },
              })),
            },
          },
        },
      },
      { parent: this, dependsOn: [permissions] },
    );
  }
}
