import { Deployment } from '@pulumi/kubernetes/apps/v1/deployment.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { groupsConfigMap } from '../../common/hollowNodes.ts';
import { Permissions } from '../Permissions.ts';
import { livenessProbe, onAnyNode, serviceDeployment } from '../serviceDeployment.ts';
import { controllerAccount, namespace } from './names.ts';

export interface ControllerArgs {
  /** Reference of the controller's image; the nodes have it. */
  readonly image: Input<string>;
  /** What kwok's nodes have as InternalIP. */
  readonly nodeAddress: Input<string>;
}

const healthPort = 9811;
const certificates = 'certificates.k8s.io';

/** All that the controller may do; its writes are confined by {@link confinement} besides. */
export const controllerRules = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'delete'] },
  { apiGroups: [certificates], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [certificates], resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
  {
    apiGroups: [certificates],
    resources: ['signers'],
    resourceNames: ['kubernetes.io/kube-apiserver-client-kubelet'],
    verbs: ['approve'],
  },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['list', 'patch'] },
];

/** Keeps hollow nodes as their groups say, and gives kubemark's pods their identity. */
export class HollowController extends ComponentResource {
  constructor(name: string, args: ControllerArgs, options?: ComponentResourceOptions) {
    super('understudy:index:HollowController', name, {}, options);
    const permissions = new Permissions(
      name,
      {
        account: controllerAccount,
        cluster: controllerRules,
        namespaced: [
          {
            namespace,
            rules: [
              {
                apiGroups: [''],
                resources: ['configmaps'],
                resourceNames: [groupsConfigMap],
                verbs: ['get', 'list', 'watch'],
              },
            ],
          },
        ],
      },
      { parent: this },
    );
    const deployment = serviceDeployment({
      account: controllerAccount,
      image: args.image,
      pod: onAnyNode,
      container: {
        args: ['--node-address=$(NODE_ADDRESS)', `--health-addr=:${healthPort}`],
        env: [{ name: 'NODE_ADDRESS', value: args.nodeAddress }],
        ports: [{ name: 'health', containerPort: healthPort }],
        readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 1 },
        livenessProbe: livenessProbe('health'),
        resources: { requests: { cpu: '10m', memory: '64Mi' } },
      },
    });
    new Deployment(`${name}-deployment`, deployment, { parent: this, dependsOn: [permissions] });
    this.registerOutputs();
  }
}
