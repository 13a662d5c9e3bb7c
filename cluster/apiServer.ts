import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { waitFor } from '../common/waitFor.ts';
import { administratorClient, type ClusterAccess } from './access.ts';
import type { ApiClient } from './apiClient.ts';
import { boxPid } from './box.ts';
import { rootOf } from './boxRoot.ts';
import { servicesOf } from './components.ts';
import {
  type EncryptionStage,
  encryptionConfigurationPath,
  kmsTimeouts,
  renderEncryptionConfiguration,
  stageOf,
} from './encryptionConfiguration.ts';
import { type ClusterPlan, clusterDomain, type NodePlan } from './plan.ts';

/** The kube-apiserver of one control-plane node. */
export interface ApiServer {
  readonly plan: ClusterPlan;
  readonly node: NodePlan;
  readonly access: ClusterAccess;
}

const withClient = async <T>({ node, access }: ApiServer, work: (api: ApiClient) => Promise<T>): Promise<T> => {
  const api = administratorClient(access, node.address);
  try {
    return await work(api);
  } finally {
    api.close();
  }
};

const configurationFile = ({ plan, node }: ApiServer): string =>
  join(rootOf(plan, node.name), encryptionConfigurationPath);

/** The stage that an API server's file is at. */
export const readStage = async (server: ApiServer): Promise<EncryptionStage> => {
  const content = await readFileIfThere(configurationFile(server));
  return content === undefined ? 'identity' : stageOf(content);
};

/** Writes an API server's file for a running plugin; the API server itself looks at it once a minute. */
export const writeStage = async (server: ApiServer, stage: EncryptionStage): Promise<void> => {
  const wanted = renderEncryptionConfiguration(stage, kmsTimeouts.running);
  const path = configurationFile(server);
  if ((await readFileIfThere(path)) !== wanted) await writeFileWhole(path, wanted);
};

/**
 * Waits until an API server's KMS providers answer. Asking makes it try its plugin at once, instead of at its next turn
 * in up to 10 s; without any provider the check is ok too.
 */
export const waitForProviders = (server: ApiServer): Promise<void> =>
  withClient(server, (api) =>
    waitFor(
      async () => {
        const { status, body } = await api.ask('GET', '/readyz?verbose');
        if (status !== 200) throw new Error(body);
        return true;
      },
      {
        what: `kube-apiserver with a working KMS plugin on ${server.node.name}`,
        timeoutMs: 90_000,
        intervalMs: 50,
        next: "see 'understudy logs kms-plugin' and 'understudy logs kube-apiserver'",
      },
    ),
  ).then(() => {});

const loadedHash =
  /^apiserver_encryption_config_controller_last_config_info\{[^}]*\bhash="sha256:([0-9a-f]+)"[^}]*\} 1$/m;

/** Whether an API server works with the content that its file has now, by its own word. */
export const hasLoadedFile = (server: ApiServer): Promise<boolean> =>
  withClient(server, async (api) => {
    const content = (await readFileIfThere(configurationFile(server))) ?? '';
    const { body } = await api.ask('GET', '/metrics');
    return loadedHash.exec(body)?.[1] === createHash('sha256').update(content).digest('hex');
  });

/**
 * Ends a component of an API server's box, that one of its services which runs; its supervisor starts it again, once it
 * is seen to be down, so that nobody takes the old one's last answers for the new one's.
 */
const restart = async ({ plan, node }: ApiServer, component: string): Promise<void> => {
  const pid = await boxPid(plan.id, node.name);
  if (pid === undefined) {
    throw new Failure({
      tried: `restart ${component} on ${node.name}`,
      got: 'its box does not run',
      next: `run 'understudy up ${plan.spec.name}'`,
    });
  }
  const services = servicesOf(component).map((service) => `/run/services/${service}`);
  const inBox = (...command: readonly string[]): Promise<string> =>
    exec('nsenter', ['--target', String(pid), '--mount', ...command]);
  const states = await Promise.all(services.map((service) => inBox('s6-svstat', '-o', 'up', service)));
  const running = services.filter((_, i) => states[i]?.trim() === 'true');
  // None runs where somebody was killed just here.
  for (const service of running.length > 0 ? running : services.slice(0, 1)) {
    await inBox('s6-svc', '-wd', '-T', '60000', '-d', service);
    await inBox('s6-svc', '-u', service);
  }
};

/** Lets an API server read its file. OpenShift too rolls out by restarts. */
export const restartApiServer = (server: ApiServer): Promise<void> => restart(server, 'kube-apiserver');

/** Lets the DNS server beside an API server look at it anew, and waits until it answers. */
export const restartDns = async (server: ApiServer): Promise<void> => {
  await restart(server, 'coredns');
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([server.node.address]);
  await waitFor(() => resolver.resolve4(`kubernetes.default.svc.${clusterDomain}`), {
    what: `DNS on ${server.node.name}`,
    timeoutMs: 30_000,
    intervalMs: 50,
    next: "see 'understudy logs coredns'",
  });
};
