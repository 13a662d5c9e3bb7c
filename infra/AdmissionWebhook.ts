import { MutatingWebhookConfiguration } from '@pulumi/kubernetes/admissionregistration/v1/mutatingWebhookConfiguration.js';
import { Deployment } from '@pulumi/kubernetes/apps/v1/deployment.js';
import { Service } from '@pulumi/kubernetes/core/v1/service.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import type { UidMode } from '../common/admissionWebhook.ts';
import { admissionAccount as account, admissionRules, admissionWebhookConfiguration } from './admissionWebhooks.ts';
import { Permissions } from './Permissions.ts';
import { livenessProbe, onControlPlane, ownNodesApiServer, serviceDeployment } from './serviceDeployment.ts';

export interface AdmissionWebhookArgs {
  /** Reference of the image of `admission/main.ts`; the nodes have it. */
  readonly image: Input<string>;
  /** Which UIDs pods get that must not be root and do not say who they are. */
  readonly uids: UidMode;
  /** Whether it places pods: where the API server has no MutatingAdmissionPolicy. */
  readonly placement: boolean;
}

const webhookPort = 8443;
const metricsPort = 9811;
const labels = { app: account.name };

/** The webhook that gives pods their UID and places them; its namespace exists. Something is asked of it: UIDs or placement. */
export class AdmissionWebhook extends ComponentResource {
  constructor(name: string, args: AdmissionWebhookArgs, options?: ComponentResourceOptions) {
    super('understudy:index:AdmissionWebhook', name, {}, options);
    const permissions = new Permissions(`${name}-account`, { account, ...admissionRules(args) }, { parent: this });
    const deployment = this.deployment(name, args, permissions);
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...account, labels },
        spec: { selector: labels, ports: [{ name: 'webhook', port: 443, targetPort: 'webhook' }] },
      },
      { parent: this, dependsOn: [deployment] },
    );
    // Last: nothing calls a webhook that does not answer yet.
    new MutatingWebhookConfiguration(`${name}-webhooks`, admissionWebhookConfiguration(args), {
      parent: this,
      dependsOn: [service],
    });
    this.registerOutputs();
  }

  private deployment(
    name: string,
    { image, uids, placement }: AdmissionWebhookArgs,
    permissions: Permissions,
  ): Deployment {
    const deployment = serviceDeployment({
      account,
      image,
      pod: onControlPlane,
      container: {
        args: [
          `--uids=${uids}`,
          ...(placement ? ['--placement'] : []),
          `--listen-addr=:${webhookPort}`,
          `--metrics-addr=:${metricsPort}`,
        ],
        env: ownNodesApiServer,
        ports: [
          { name: 'webhook', containerPort: webhookPort },
          { name: 'metrics', containerPort: metricsPort },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 1 },
        livenessProbe: livenessProbe('metrics'),
        resources: { requests: { cpu: '10m', memory: '112Mi' } },
      },
    });
    return new Deployment(`${name}-deployment`, deployment, { parent: this, dependsOn: [permissions] });
  }
}
