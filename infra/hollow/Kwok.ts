import { Deployment } from '@pulumi/kubernetes/apps/v1/deployment.js';
import { ConfigMap } from '@pulumi/kubernetes/core/v1/configMap.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { Permissions } from '../Permissions.ts';
import { livenessProbe, onAnyNode, serviceDeployment } from '../serviceDeployment.ts';
import { kwokAccount, namespace } from './names.ts';

export interface KwokArgs {
  /** Reference of kwok's image; the nodes have it. */
  readonly image: Input<string>;
  /** Content of its configuration file. */
  readonly configuration: string;
  /** What its nodes have as InternalIP. */
  readonly nodeAddress: Input<string>;
}

const configDir = '/etc/kwok';
const serverPort = 10247;

/** kwok, once for all groups that it simulates. What its account may write to is confined by {@link confinement}. */
export class Kwok extends ComponentResource {
  constructor(name: string, args: KwokArgs, options?: ComponentResourceOptions) {
    super('understudy:index:Kwok', name, {}, options);
    const parent = { parent: this };
    const labels = { app: 'kwok' };
    const permissions = new Permissions(
      name,
      {
        account: kwokAccount,
        cluster: [
          { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: [''], resources: ['nodes/status', 'pods/status'], verbs: ['patch'] },
          { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'delete'] },
        ],
        namespaced: [
          {
            namespace: 'kube-node-lease',
            rules: [
              {
                apiGroups: ['coordination.k8s.io'],
                resources: ['leases'],
                verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'],
              },
            ],
          },
        ],
      },
      parent,
    );
    const configuration = new ConfigMap(
      `${name}-configuration`,
      { metadata: { namespace, name: 'kwok', labels }, data: { 'kwok.yaml': args.configuration } },
      parent,
    );
    const deployment = serviceDeployment({
      account: kwokAccount,
      image: args.image,
      pod: {
        ...onAnyNode,
        volumes: [
          { name: 'configuration', configMap: { name: configuration.metadata.name } },
          { name: 'scratch', emptyDir: {} },
        ],
      },
      container: {
        args: [
          `--config=${configDir}/kwok.yaml`,
          '--kubeconfig=',
          '-v=WARN',
          '--node-ip=$(NODE_ADDRESS)',
          `--server-address=0.0.0.0:${serverPort}`,
        ],
        env: [
          { name: 'NODE_ADDRESS', value: args.nodeAddress },
          { name: 'HOME', value: '/tmp' },
        ],
        ports: [{ name: 'server', containerPort: serverPort }],
        readinessProbe: { httpGet: { path: '/healthz', port: 'server' }, periodSeconds: 1 },
        livenessProbe: livenessProbe('server', 30),
        resources: { requests: { cpu: '20m', memory: '128Mi' } },
        volumeMounts: [
          { name: 'configuration', mountPath: configDir, readOnly: true },
          { name: 'scratch', mountPath: '/tmp' },
        ],
      },
    });
    new Deployment(`${name}-deployment`, deployment, { parent: this, dependsOn: [permissions] });
    this.registerOutputs();
  }
}
