import { readFile, statfs } from 'node:fs/promises';
import { readFileIfThere } from '../common/files.ts';
import type { MachineFacts } from './nodeConfiguration.ts';

const capSysResource = 1n << 24n;
const overlayMagic = 0x794c7630;

/** Whether a `/proc/<pid>/status` has CAP_SYS_RESOURCE in its bounding set. */
export const mayLowerOomScore = (status: string): boolean => {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return (BigInt(`0x${bounding}`) & capSysResource) !== 0n;
};

/** The name servers of a resolv.conf that a box could reach: not those on the machine's own loopback. */
export const reachableResolvers = (resolvConf: string): readonly string[] =>
  [...resolvConf.matchAll(/^nameserver\s+(\S+)/gm)].flatMap(([, address = '']) =>
    address.startsWith('127.') || address.includes(':') ? [] : [address],
  );

/** Looks at this machine; `dir` is where the cluster will live. */
export const readMachine = async (dir: string, pauseImage: string): Promise<MachineFacts> => {
  const [status, fileSystem, resolvConf, systemdResolvConf] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    statfs(dir),
    readFileIfThere('/etc/resolv.conf'),
    readFileIfThere('/run/systemd/resolve/resolv.conf'),
  ]);
  const resolvers = reachableResolvers(resolvConf ?? '');
  return {
    pauseImage,
    mayLowerOomScore: mayLowerOomScore(status),
    snapshotter: fileSystem.type === overlayMagic ? 'native' : 'overlayfs',
    resolvers: resolvers.length > 0 ? resolvers : reachableResolvers(systemdResolvConf ?? ''),
  };
};
