import { shellQuote } from '../../common/shellQuote.ts';
import { type BoxContent, type EnginePlaces, searchPaths } from './box.ts';

const configurationPath = (dir: string): string => `${dir}/containers.conf`;
const storagePath = (dir: string): string => `${dir}/storage.conf`;

/** The files of a Podman by their paths. @param runtime the path of the OCI runtime */
export const podmanFiles = ({ dir, packages }: EnginePlaces, runtime: string): Readonly<Record<string, string>> => ({
  [configurationPath(dir)]: `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
conmon_path = ["${packages}/usr/bin/conmon"]
helper_binaries_dir = ["${packages}/usr/lib/podman"]
image_copy_tmp_dir = "/run"
runtime = "understudy"
[engine.runtimes]
understudy = ["${runtime}"]
[containers]
seccomp_profile = "${packages}/usr/share/containers/seccomp.json"
[network]
network_backend = "netavark"
network_config_dir = "${dir}/networks"
`,
  [storagePath(dir)]: `[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "${dir}/storage"
`,
});

/**
 * Podman has no daemon: the box waits for its commands. It keeps locks in /dev/shm and what it knows of images in
 * /var/lib/containers, and reads who may be trusted in /etc/containers, all of which must not be this machine's.
 */
export const podmanContent = ({ packages }: EnginePlaces): BoxContent => ({
  prepare: [
    'mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm',
    `mount -t overlay -o lowerdir=${shellQuote(`${packages}/etc`)}:/etc overlay /etc`,
    'mkdir -p /run/var-lib/upper /run/var-lib/work',
    'mount -t overlay -o lowerdir=/var/lib,upperdir=/run/var-lib/upper,workdir=/run/var-lib/work overlay /var/lib',
  ],
  main: ['sleep infinity'],
});

/** The program `podman` for those outside of the box. @param pid of the box's first process */
export const renderPodman = ({ dir, packages }: EnginePlaces, pid: number): string => {
  const { programs, libraries } = searchPaths(packages);
  const variables = {
    PATH: programs,
    LD_LIBRARY_PATH: libraries,
    HOME: dir,
    CONTAINERS_CONF: configurationPath(dir),
    CONTAINERS_STORAGE_CONF: storagePath(dir),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${shellQuote(value)}`);
  return `#!/bin/bash
exec nsenter --target ${pid} --mount --net --pid --uts --ipc --cgroup --wd="$PWD" env -i ${assignments.join(' ')} podman "$@"
`;
};
