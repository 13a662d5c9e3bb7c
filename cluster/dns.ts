import { Resolver } from 'node:dns/promises';
import { exec } from '../common/exec.ts';
import { waitFor } from '../common/waitFor.ts';
import { administratorClient, type ClusterAccess } from './access.ts';
import { boxPid } from './box.ts';
import { allowDns } from './dnsRole.ts';
import { inspectCluster } from './inspect.ts';
import { patientClient } from './patientClient.ts';
import { type ClusterPlan, clusterDomain, controlPlanesOf, type NodePlan } from './plan.ts';

const apiServerName = `kubernetes.default.svc.${clusterDomain}`;

const resolve = (node: NodePlan): Promise<unknown> => {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([node.address]);
  return resolver.resolve4(apiServerName);
};

const restart = async (plan: ClusterPlan, node: NodePlan): Promise<void> => {
  const pid = await boxPid(plan.id, node.name);
  if (pid === undefined) return;
  await exec('nsenter', ['--target', String(pid), '--mount', 's6-svc', '-r', '/run/services/coredns']);
};

/** Makes sure that the DNS server of each control-plane node may look at the cluster and answers. */
export const ensureDns = async (dir: string, access: ClusterAccess): Promise<void> => {
  const state = await inspectCluster(dir);
  if (state === undefined) return;
  const { plan } = state;
  const api = patientClient(administratorClient(access));
  await allowDns(api).finally(api.close);
  await Promise.all(
    controlPlanesOf(plan).map(async (node) => {
      const answers = await resolve(node).then(
        () => true,
        () => false,
      );
      if (answers) return;
      await restart(plan, node);
      await waitFor(() => resolve(node), {
        what: `DNS on ${node.name}`,
        timeoutMs: 30_000,
        intervalMs: 50,
        next: "see 'understudy logs coredns'",
      });
    }),
  );
};
