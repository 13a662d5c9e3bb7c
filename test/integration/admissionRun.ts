import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { waitFor } from '../../common/waitFor.ts';
import { serviceFlags } from '../../image/build.ts';
import { bundleService } from '../../image/bundle.ts';
import {
  type AdmissionJobs,
  admissionAccount,
  admissionRules,
  admissionWebhookConfiguration,
} from '../../infra/admissionWebhooks.ts';
import { freePort } from '../tools/freePort.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';

export interface Webhook {
  readonly child: ChildProcess;
  /** What it has said so far. */
  said(): string;
  /** Exit code and what went to standard error. */
  readonly ended: Promise<readonly [number | null, string]>;
}

/** A real API server, and the webhook as a process that may do no more than its service account. */
export interface AdmissionBench {
  readonly api: ApiServer;
  /** As an administrator. */
  readonly client: KubeClient;
  /** As the webhook. */
  readonly own: KubeClient;
  run(...flags: readonly string[]): Webhook;
  /** Has the API server call it for these jobs. */
  configure(jobs: AdmissionJobs): Promise<void>;
  /** Applies the same configuration as Pulumi does. */
  apply(jobs: AdmissionJobs): Promise<unknown>;
  stop(): Promise<void>;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsNonRoot?: boolean };
}

export interface TestPod {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly securityContext?: {
      readonly runAsUser?: number;
      readonly runAsNonRoot?: boolean;
      readonly fsGroup?: number;
    };
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
}

const projectDir = join(import.meta.dirname, '..', '..');
const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const rbac = '/apis/rbac.authorization.k8s.io/v1';

const post = (client: KubeClient, path: string, body: object): Promise<unknown> =>
  client.send({ method: 'POST', path, body });

/** The service account with what infra/ declares for it; a token of it. */
const createAccount = async (client: KubeClient): Promise<string> => {
  const { namespace, name } = admissionAccount;
  const { cluster, namespaced } = admissionRules({ uids: 'openshift', placement: true });
  const metadata = { name };
  const subjects = [{ kind: 'ServiceAccount', namespace, name }];
  const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  await post(client, '/api/v1/namespaces', { metadata: { name: namespace } });
  await post(client, `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
  await post(client, `${rbac}/clusterroles`, { metadata, rules: cluster });
  await post(client, `${rbac}/clusterrolebindings`, { metadata, subjects, roleRef: roleRef('ClusterRole') });
  for (const { namespace: where, rules } of namespaced) {
    await post(client, `${rbac}/namespaces/${where}/roles`, { metadata, rules });
    await post(client, `${rbac}/namespaces/${where}/rolebindings`, { metadata, subjects, roleRef: roleRef('Role') });
  }
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await client.send<{ status: { token: string } }>({ method: 'POST', path, body });
  return status.token;
};

const clientFrom = (kubeconfig: string): KubeClient => {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return clientOf(config);
};

export const startAdmissionBench = async (): Promise<AdmissionBench> => {
  const api = await startApiServer({ flags: ['--disable-admission-plugins=ServiceAccount'] });
  const client = clientFrom(api.kubeconfig);
  const children: ChildProcess[] = [];
  const token = await createAccount(client);
  const admin = new KubeConfig();
  admin.loadFromString(api.kubeconfig);
  const ownKubeconfig = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server: api.url, 'certificate-authority-data': admin.getCurrentCluster()?.caData },
      },
    ],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
  const kubeconfigPath = join(api.dir, 'webhook.kubeconfig');
  const bundle = join(api.dir, 'admission.mjs');
  await writeFile(kubeconfigPath, ownKubeconfig);
  await writeFile(bundle, await bundleService(join(projectDir, 'admission', 'main.ts')));
  // The same one after a restart.
  const port = await freePort();
  const own = clientFrom(ownKubeconfig);
  const configurationOf = (jobs: AdmissionJobs) =>
    admissionWebhookConfiguration(jobs, (path) => ({ url: `https://127.0.0.1:${port}${path}` }));
  return {
    api,
    client,
    own,
    run: (...flags) => {
      const all = [
        `--listen-addr=127.0.0.1:${port}`,
        '--metrics-addr=127.0.0.1:0',
        '--serving-names=127.0.0.1',
        ...flags,
      ];
      const child = spawn(process.execPath, [...serviceFlags, bundle, ...all], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, KUBECONFIG: kubeconfigPath },
      });
      children.push(child);
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
      });
      const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
      return { child, said: () => said, ended: Promise.all([exited, text(child.stderr)]) };
    },
    configure: async (jobs) => {
      const configuration = configurationOf(jobs);
      await client
        .send({ method: 'DELETE', path: `${configurations}/${configuration.metadata.name}` })
        .catch((error: unknown) => {
          if (!isApiError(error, 404)) throw error;
        });
      await post(client, configurations, configuration);
    },
    apply: (jobs) => {
      const body = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        ...configurationOf(jobs),
      };
      return client.apply(`${configurations}/${body.metadata.name}`, 'pulumi-kubernetes', body);
    },
    stop: async () => {
      for (const child of children) child.kill('SIGKILL');
      client.close();
      own.close();
      await api.stop();
    },
  };
};

export const createNamespace = (client: KubeClient, name: string, annotations: object = {}): Promise<unknown> =>
  post(client, '/api/v1/namespaces', { metadata: { name, annotations } });

export const annotationsOf = async (client: KubeClient, name: string): Promise<Readonly<Record<string, string>>> => {
  const path = `/api/v1/namespaces/${name}`;
  const { metadata } = await client.send<{ metadata: { annotations?: Record<string, string> } }>({
    method: 'GET',
    path,
  });
  return metadata.annotations ?? {};
};

const nonRootPod: Partial<TestPod['spec']> = { securityContext: { runAsNonRoot: true } };

let pods = 0;
export const createPod = (client: KubeClient, namespace: string, spec = nonRootPod): Promise<TestPod> =>
  client.send({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods`,
    body: { metadata: { name: `pod-${pods++}` }, spec: { containers: [{ name: 'a', image: 'a' }], ...spec } },
  });

/** From here on the API server knows the webhook, and trusts it. */
export const whenGivingUids = (client: KubeClient, namespace: string, webhook: Webhook): Promise<unknown> =>
  waitFor(async () => (await createPod(client, namespace)).spec.securityContext?.runAsUser, {
    what: 'a pod with a UID',
    timeoutMs: 20_000,
    intervalMs: 50,
    next: `read what the webhook said: ${webhook.said()}`,
  });
