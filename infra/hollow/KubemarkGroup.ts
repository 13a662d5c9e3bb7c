import { StatefulSet } from '@pulumi/kubernetes/apps/v1/statefulSet.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import type { HollowGroup } from '../../common/hollowGroups.ts';
import { groupLabel, hollowSetName } from '../../common/hollowNodes.ts';
import { confined, livenessProbe, onAnyNode } from '../serviceDeployment.ts';
import { bootstrapDir, healthPort, identityDir, kubemarkArguments } from './kubemark.ts';
import { namespace } from './names.ts';

export interface KubemarkGroupArgs {
  readonly group: HollowGroup;
  /** Reference of kubemark's image; the nodes have it. */
  readonly image: Input<string>;
  /** Of the pods. */
  readonly accountName: string;
  /** The ConfigMap with the kubeconfig that they begin with. */
  readonly bootstrapName: string;
}

/** A group of hollow nodes with real kubelets in them: a pod a node, which has the pod's name. */
export class KubemarkGroup extends ComponentResource {
  constructor(name: string, args: KubemarkGroupArgs, options?: ComponentResourceOptions) {
    super('understudy:index:KubemarkGroup', name, {}, options);
    const { group, image, accountName, bootstrapName } = args;
    const labels = { app: 'hollow-node', [groupLabel]: group.name };
    const setName = hollowSetName(group.name);
    new StatefulSet(
      `${name}-nodes`,
      {
        metadata: { namespace, name: setName, labels },
        spec: {
          replicas: group.count,
          serviceName: setName,
          selector: { matchLabels: labels },
          podManagementPolicy: 'Parallel',
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: accountName,
              enableServiceLinks: false,
              ...onAnyNode,
              terminationGracePeriodSeconds: 5,
              containers: [
                {
                  name: 'kubemark',
                  image,
                  imagePullPolicy: 'Never',
                  args: [...kubemarkArguments(group)],
                  env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
                  ports: [{ name: 'health', containerPort: healthPort }],
                  readinessProbe: { httpGet: { path: '/healthz', port: 'health' }, periodSeconds: 5 },
                  livenessProbe: livenessProbe('health', 30),
                  resources: { requests: { cpu: '5m', memory: '20Mi' } },
                  securityContext: confined,
                  volumeMounts: [
                    { name: 'identity', mountPath: identityDir },
                    { name: 'bootstrap', mountPath: bootstrapDir, readOnly: true },
                    { name: 'scratch', mountPath: '/tmp' },
                  ],
                },
              ],
              volumes: [
                // A key is on no disk.
                { name: 'identity', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
                { name: 'bootstrap', configMap: { name: bootstrapName } },
                { name: 'scratch', emptyDir: {} },
              ],
              securityContext: { fsGroup: 65532 },
            },
          },
        },
      },
      { parent: this, customTimeouts: { create: '15m', update: '15m' } },
    );
    this.registerOutputs();
  }
}
