import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec, tryExec } from '../../common/exec.ts';
import type { Progress } from '../../common/progress.ts';
import type { EngineName } from './engine.ts';

/** The image that kind 0.33 puts before several control planes (`pkg/cluster/internal/loadbalancer/const.go`). */
export const balancerImage = 'docker.io/envoyproxy/envoy:v1.36.2';

/** Tells our stand-in from Envoy. */
const label = 'dev.understudy.stand-in';

/** Where kind writes what the load balancer is to do. */
export const balancerFolder = '/home/envoy';

/**
 * The program `envoy` of the stand-in: takes listener and endpoints out of the two files that kind writes for Envoy once it
 * knows them, and forwards TCP by etcd's gateway, as the load balancer of a `local` stack does.
 */
export const envoyScript = `#!/bin/bash
set -eu
cd ${balancerFolder}
pairs() {
  sed -n 's/^ *address: *"\\{0,1\\}\\([^" ]\\{1,\\}\\)"\\{0,1\\} *$/\\1/p; s/^ *port_value: *\\([0-9]\\{1,\\}\\) *$/:\\1,/p' "$1" |
    tr -d '\\n' | sed 's/,$//'
}
until listen=$(pairs lds.yaml) && endpoints=$(pairs cds.yaml) && [ -n "$listen" ] && [ -n "$endpoints" ]; do sleep 0.1; done
exec etcd gateway start --listen-addr="$listen" --endpoints="$endpoints" --retry-delay=1s
`;

/**
 * Makes sure that the engine has the load balancer's image. One that it has stays; else it gets a stand-in made of a node image
 * made here, of which it keeps a few megabytes more.
 * @param etcd path of the program
 */
export const ensureBalancerImage = async (
  engine: EngineName,
  nodeImage: string,
  etcd: string,
  progress: Progress,
): Promise<void> => {
  if ((await tryExec(engine, ['image', 'inspect', balancerImage])).code === 0) return;
  await progress.phase(`image of the load balancer into ${engine}`, async () => {
    const container = `understudy-balancer-${randomBytes(4).toString('hex')}`;
    const folder = await mkdtemp(join(tmpdir(), 'understudy-balancer-'));
    try {
      const script = join(folder, 'envoy');
      await writeFile(script, envoyScript, { mode: 0o755 });
      await exec(engine, ['create', '--name', container, nodeImage]);
      await exec(engine, ['cp', script, `${container}:/usr/local/bin/envoy`]);
      await exec(engine, ['cp', etcd, `${container}:/usr/local/bin/etcd`]);
      // Kind gives the command; a node's own entrypoint would start systemd.
      const changes = ['ENTRYPOINT ["/usr/bin/env"]', 'CMD ["true"]', `LABEL ${label}=true`];
      await exec(engine, ['commit', ...changes.flatMap((change) => ['--change', change]), container, balancerImage]);
    } finally {
      await tryExec(engine, ['rm', '--force', '--volumes', container]);
      await rm(folder, { recursive: true, force: true });
    }
  });
};

/** Removes the stand-in, unless another cluster has it in use; never an Envoy. */
export const removeBalancerImage = async (engine: EngineName): Promise<void> => {
  const format = `{{index .Config.Labels "${label}"}}`;
  const { code, stdout } = await tryExec(engine, ['image', 'inspect', '--format', format, balancerImage]);
  if (code === 0 && stdout.trim() === 'true') await tryExec(engine, ['image', 'rm', balancerImage]);
};
