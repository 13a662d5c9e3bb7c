import { readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Progress } from '../../common/progress.ts';
import { type BuiltImage, buildProgramImage } from '../../image/build.ts';
import type { TarEntry } from '../../image/tar.ts';
import { type PodProgram, podPrograms } from './recipe.ts';

/** As the architecture's folder of libraries is called in Debian. */
const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const loader = process.arch === 'arm64' ? 'lib/ld-linux-aarch64.so.1' : 'lib64/ld-linux-x86-64.so.2';

/** Libraries of iptables and of its extensions; without libm `libxt_statistic.so` does not load, and a Service with two endpoints times out. */
const iptablesLibraries =
  /^(libxtables|libip4tc|libip6tc|libnftnl|libmnl|libnetfilter_conntrack|libnfnetlink|libc|libm)\.so\.\d+$/;

const commands = ['iptables', 'iptables-save', 'iptables-restore'].flatMap((name) => [name, name.replace('ip', 'ip6')]);

/** iptables of the Debian at `root`, for the image of kube-proxy: the nft kind, which is what a node of today's kernels uses. */
const iptablesEntries = async (root: string): Promise<readonly TarEntry[]> => {
  const libraries = join(root, 'usr/lib', multiarch);
  const file = (path: string, hostPath: string): TarEntry => ({ type: 'file', path, mode: 0o755, hostPath });
  const named = (await readdir(libraries)).filter((name) => iptablesLibraries.test(name));
  const extensions = (await readdir(join(libraries, 'xtables'))).filter((name) => name.endsWith('.so'));
  const real = async (folder: string, name: string): Promise<string> => {
    const target = await readlink(join(folder, name)).catch(() => name);
    return join(folder, basename(target));
  };
  return [
    ...(await Promise.all(
      named.map(async (name) => file(`/usr/lib/${multiarch}/${name}`, await real(libraries, name))),
    )),
    ...(await Promise.all(
      extensions.map(async (name) =>
        file(`/usr/lib/${multiarch}/xtables/${name}`, await real(join(libraries, 'xtables'), name)),
      ),
    )),
    file(`/${loader}`, await real(libraries, basename(loader))),
    // The program looks at the name that it is called by.
    ...commands.map((name) => file(`/usr/bin/${name}`, join(root, 'usr/sbin/xtables-nft-multi'))),
  ];
};

const ofRoot = { user: '0:0' } as const;

/** Builds the image of one program of the control plane. Pods of kubeadm run as root unless they say otherwise. */
export const buildPodImage = async (
  program: PodProgram,
  binaryPath: string,
  debian: string,
  progress: Progress,
  layoutDir: string,
): Promise<BuiltImage> => {
  const path = podPrograms[program];
  const more = program === 'kube-proxy' ? await iptablesEntries(debian) : [];
  await stat(binaryPath);
  const settings = program === 'pause' ? {} : ofRoot;
  return buildProgramImage(
    { name: `understudy.local/${program}`, binaryPath, path, more, ...settings },
    progress,
    layoutDir,
  );
};
