import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../../common/exec.ts';
import type { ClusterMarks, Home } from './home.ts';

/** A file of /proc or /sys; empty where its owner went while it was read. */
const readIfThere = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const processes = async (): Promise<readonly number[]> =>
  (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);

const processRemains = async (home: Home, stack: string, { id }: ClusterMarks): Promise<readonly string[]> => {
  const found = await Promise.all(
    (await processes()).map(async (pid) => {
      const [status, cgroup, environment, command] = await Promise.all(
        ['status', 'cgroup', 'environ', 'cmdline'].map((file) => readIfThere(`/proc/${pid}/${file}`)),
      );
      // One that has ended, and that its parent has not asked for yet.
      if (status === undefined || /^State:\tZ/m.test(status)) return [];
      const ours =
        cgroup?.includes(`understudy-${id}`) ||
        environment?.split('\0').includes(`UNDERSTUDY_HOME=${home.dir}`) ||
        command?.includes(home.clusterDir(stack));
      return ours === true ? [`process ${pid}: ${command?.replaceAll('\0', ' ').slice(0, 200)}`] : [];
    }),
  );
  return found.flat();
};

const networkRemains = async ({ id, network }: ClusterMarks): Promise<readonly string[]> => {
  const [links, routes, rules] = await Promise.all([
    exec('ip', ['-json', 'link']),
    exec('ip', ['route', 'show', 'table', 'all']),
    exec('iptables-save', []),
  ]);
  const names = (JSON.parse(links) as readonly { readonly ifname: string }[]).map(({ ifname }) => ifname);
  return [
    ...names.filter((name) => name.startsWith(`us-${id}`) || name.startsWith(`u${id}`)).map((name) => `link ${name}`),
    ...routes
      .split('\n')
      .filter((route) => route.includes(id) || (network !== undefined && route.includes(` ${network}.`)))
      .map((route) => `route ${route}`),
    ...rules.split('\n').flatMap((rule) => (rule.includes(`understudy-${id}`) ? [`firewall rule ${rule}`] : [])),
  ];
};

const cgroupRemains = async ({ id }: ClusterMarks): Promise<readonly string[]> => {
  const root = '/sys/fs/cgroup';
  const places = [root, ...(await readdir(root)).map((name) => join(root, name))];
  const found = await Promise.all(
    places.map(async (place) => {
      const names = await readdir(place).catch(() => []);
      return names.filter((name) => name === `understudy-${id}`).map((name) => `cgroup ${join(place, name)}`);
    }),
  );
  return found.flat();
};

const mountRemains = async (dir: string): Promise<readonly string[]> =>
  (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .flatMap((line) => (line.includes(dir) ? [`mount ${line}`] : []));

/** Files that name a stack, or that belong to a cluster by where they are. */
const fileRemains = async (home: Home, stack: string): Promise<readonly string[]> => {
  const entries = await readdir(home.dir, { recursive: true }).catch(() => []);
  const named = new RegExp(`(^|[/.])${stack}(?![a-z0-9-])`);
  const workspaces = await Promise.all(
    entries
      .filter((path) => path.endsWith('-workspace.json'))
      .map(async (path) => ((await readIfThere(join(home.dir, path))).includes(`/${stack}"`) ? [path] : [])),
  );
  return [...entries.filter((path) => named.test(path)), ...workspaces.flat()].map((path) => `file ${path}`);
};

/**
 * What of a stack is still on this machine, looked for apart from the project's own code: processes, links, routes,
 * firewall rules, cgroups, mounts, files. Empty after `down`.
 */
export const remainsOf = async (home: Home, stack: string, marks: ClusterMarks): Promise<readonly string[]> =>
  (
    await Promise.all([
      processRemains(home, stack, marks),
      networkRemains(marks),
      cgroupRemains(marks),
      mountRemains(home.clusterDir(stack)),
      fileRemains(home, stack),
    ])
  ).flat();
