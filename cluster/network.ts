import { readFile, writeFile } from 'node:fs/promises';
import { exec, tryExec } from '../common/exec.ts';
import { hasCode } from '../common/failure.ts';
import {
  bridgeName,
  type ClusterPlan,
  clusterId,
  kubernetesNodesOf,
  type NodePlan,
  podNetwork,
  serviceNetwork,
  subnetOf,
  vethPrefix,
} from './plan.ts';

const ip = (...args: readonly string[]): Promise<string> => exec('ip', args);

interface Route {
  readonly dst?: string;
}

/** All IPv4 destinations that this machine has a route for, but the default one. */
export const routedDestinations = async (): Promise<readonly string[]> => {
  const routes = JSON.parse(await ip('-json', '-4', 'route', 'show', 'table', 'all')) as readonly Route[];
  return routes.flatMap((route) => (route.dst === undefined || route.dst === 'default' ? [] : [route.dst]));
};

interface Link {
  readonly ifname: string;
}

const linkNames = async (): Promise<readonly string[]> =>
  (JSON.parse(await ip('-json', 'link')) as readonly Link[]).map(({ ifname }) => ifname);

const linkExists = async (name: string): Promise<boolean> => (await linkNames()).includes(name);

/** The names of a cluster's bridge and of the outer ends of its boxes' network cards, those that are there. */
export const clusterLinks = async (id: string): Promise<readonly string[]> =>
  (await linkNames()).filter((name) => name === bridgeName(id) || name.startsWith(vethPrefix(id)));

/**
 * A route of the last resort: while the bridge is away (a cluster that is being removed, a client that still asks), its
 * packets are refused here instead of leaving by the default route.
 */
const guardRoute = (network: string): readonly string[] => ['unreachable', subnetOf(network), 'metric', '4278198272'];

/** One rule of this machine's firewall; its comment says whose it is. */
type FirewallRule = readonly [table: string, chain: string, ...match: string[]];

const firewallRules = (id: string, network: string): readonly FirewallRule[] => {
  const bridge = bridgeName(id);
  const comment = ['-m', 'comment', '--comment', `understudy-${id}`];
  const subnet = subnetOf(network);
  return [
    // With br_netfilter on (Docker's setting), packets between boxes pass FORWARD, whose policy may be DROP.
    ['filter', 'FORWARD', '-i', bridge, '-o', bridge, ...comment, '-j', 'ACCEPT'],
    ['filter', 'FORWARD', '-i', bridge, '!', '-o', bridge, ...comment, '-j', 'ACCEPT'],
    [
      'filter',
      'FORWARD',
      '!',
      '-i',
      bridge,
      '-o',
      bridge,
      '-m',
      'conntrack',
      '--ctstate',
      'RELATED,ESTABLISHED',
      ...comment,
      '-j',
      'ACCEPT',
    ],
    ['nat', 'POSTROUTING', '-s', subnet, '!', '-d', subnet, ...comment, '-j', 'MASQUERADE'],
  ];
};

const iptables = (action: string, [table, chain, ...match]: FirewallRule): Promise<{ code: number }> =>
  tryExec('iptables', ['--wait', '--table', table, action, chain, ...match]);

const ensureRule = async (rule: FirewallRule): Promise<void> => {
  if ((await iptables('--check', rule)).code === 0) return;
  const [table, chain, ...match] = rule;
  await exec('iptables', ['--wait', '--table', table, '--insert', chain, ...match]);
};

const bridgePacketsAreFiltered = async (): Promise<boolean> => {
  try {
    return (await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8')).trim() === '1';
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
};

/** Makes the bridge of a cluster on this machine, and what its firewall needs. Safe to repeat. */
export const ensureBridge = async (plan: ClusterPlan): Promise<void> => {
  if (!(await linkExists(plan.bridge))) {
    await ip('link', 'add', 'name', plan.bridge, 'type', 'bridge');
    // No address by itself, so no router solicitations.
    await ip('link', 'set', plan.bridge, 'addrgenmode', 'none');
  }
  await ip('route', 'replace', ...guardRoute(plan.network));
  await ip('address', 'replace', `${plan.gateway}/24`, 'dev', plan.bridge);
  await ip('link', 'set', plan.bridge, 'up');
  const [betweenBoxes, ...outward] = firewallRules(plan.id, plan.network);
  if (betweenBoxes !== undefined && plan.nodes.length > 1 && (await bridgePacketsAreFiltered()))
    await ensureRule(betweenBoxes);
  if (!plan.spec.egress) return;
  for (const rule of outward) await ensureRule(rule);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
};

/** The network that a bridge is in, by its own address. */
const networkOf = async (bridge: string): Promise<string | undefined> => {
  const [link] = JSON.parse(await ip('-json', '-4', 'address', 'show', 'dev', bridge)) as readonly {
    readonly addr_info?: readonly { readonly local: string }[];
  }[];
  return link?.addr_info?.[0]?.local.split('.').slice(0, 3).join('.');
};

/** Removes the rules that bear a cluster's name, whatever else they say. */
const removeRules = async (id: string): Promise<void> => {
  if ((await tryExec('iptables', ['--version']).catch(() => undefined))?.code !== 0) return;
  for (const table of ['filter', 'nat']) {
    const { stdout } = await tryExec('iptables', ['--wait', '--table', table, '--list-rules']);
    for (const rule of stdout.split('\n').filter((line) => line.includes(`understudy-${id}`))) {
      const [, ...words] = rule.replaceAll('"', '').split(' ');
      await exec('iptables', ['--wait', '--table', table, '--delete', ...words]);
    }
  }
};

/**
 * Takes the bridge, its firewall rules and routes away. Nothing to do where there are none.
 * @param known the network, where the cluster's record tells it
 */
export const removeBridge = async (dir: string, known: string | undefined): Promise<void> => {
  const id = clusterId(dir);
  const bridge = bridgeName(id);
  const links = await clusterLinks(id);
  const network = known ?? (links.includes(bridge) ? await networkOf(bridge) : undefined);
  // The kernel may be faster with the network cards of boxes that have just died.
  for (const link of links) await tryExec('ip', ['link', 'delete', link]);
  await removeRules(id);
  if (network !== undefined) await tryExec('ip', ['route', 'delete', ...guardRoute(network)]);
};

const vethName = (plan: ClusterPlan, node: NodePlan): string =>
  `${vethPrefix(plan.id)}${node.address.split('.').at(-1)}`;

/** Gives a box, known by the id of its first process, its network card: `eth0`, whose other end is on the bridge. */
export const connectBox = async (plan: ClusterPlan, node: NodePlan, pid: number): Promise<void> => {
  const outside = vethName(plan, node);
  // Left by a box that died a moment ago: the kernel removes it with the box's network namespace, which takes a while.
  if (await linkExists(outside)) await tryExec('ip', ['link', 'delete', outside]);
  await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  await ip('link', 'set', outside, 'addrgenmode', 'none');
  await ip('link', 'set', outside, 'master', plan.bridge, 'up');
};

/** Shell lines, inside a box, that set up its own side of the network. */
export const configureBoxNetwork = (plan: ClusterPlan, node: NodePlan): readonly string[] => [
  'echo 1 > proc/sys/net/ipv6/conf/all/disable_ipv6',
  'echo 1 > proc/sys/net/ipv6/conf/default/disable_ipv6',
  'echo 1 > proc/sys/net/ipv4/ip_forward',
  'ip link set lo up',
  `ip address add ${node.address}/24 dev eth0`,
  'ip link set eth0 up',
  // A process of the box needs a route before kube-proxy's rules can change the destination; what they do not know ends here.
  `ip route add ${serviceNetwork} dev lo src ${node.address}`,
  ...(plan.spec.egress
    ? [
        `ip route add default via ${plan.gateway}`,
        `iptables --wait --table nat --append POSTROUTING --source ${node.podCidr} ! --destination ${podNetwork} --out-interface eth0 --jump MASQUERADE`,
      ]
    : []),
];

/** Points every box to the pods of the others, by the ids of their first processes. Safe to repeat. */
export const routePods = async (plan: ClusterPlan, pids: ReadonlyMap<string, number>): Promise<void> => {
  const nodes = kubernetesNodesOf(plan);
  await Promise.all(
    [...pids].map(async ([name, pid]) => {
      const others = nodes.filter((node) => node.name !== name);
      if (others.length === 0) return;
      const commands = others.map((node) => `route replace ${node.podCidr} via ${node.address}\n`).join('');
      await exec('nsenter', ['--target', String(pid), '--net', 'ip', '-batch', '-'], { input: commands });
    }),
  );
};
