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
 * IPv4, as Envoy by kind's files: of two kube-apiservers of a node that take turns, the second listens at that address alone.
 * Connections to a node that has vanished are given up after 10 s.
 */
const server = 'check inter 2s fall 2 rise 1 tcp-ut 10s resolvers engine resolve-prefer ipv4 init-addr none';

/**
 * The program `envoy` of the stand-in: takes listener and endpoints out of the two files that kind writes for Envoy once it
 * knows them, and has Debian's HAProxy forward TCP. As Envoy does by kind's files, it asks each API server over TLS how it is,
 * passes those by that are not well, and tries all where none is, as when the KMS of all of them fails. It asks for `/readyz`
 * instead of `/healthz`: one that has just begun answers with 403 to what it has not read the roles for.
 */
export const envoyScript = `#!/bin/bash
set -eu
cd ${balancerFolder}
pairs() {
  sed -n 's/^ *address: *"\\{0,1\\}\\([^" ]\\{1,\\}\\)"\\{0,1\\} *$/\\1/p; s/^ *port_value: *\\([0-9]\\{1,\\}\\) *$/:\\1/p' "$1" | paste -d '\\0' - -
}
until listen=$(pairs lds.yaml) && endpoints=$(pairs cds.yaml) && [ -n "$listen" ] && [ -n "$endpoints" ]; do sleep 0.1; done
cat >haproxy.cfg <<END
global
  maxconn 4096
resolvers engine
  parse-resolv-conf
  timeout resolve 1s
  hold valid 5s
defaults
  mode tcp
  timeout connect 2s
  timeout check 3s
  timeout client 1d
  timeout server 1d
  option redispatch 1
frontend listener_apiserver
  bind $listen
  use_backend kube_apiservers if { nbsrv(kube_apiservers) gt 0 }
  default_backend kube_apiservers_not_ready
backend kube_apiservers
  balance roundrobin
  option httpchk GET /readyz
  default-server ${server} check-ssl verify none observe layer4 error-limit 1 on-error mark-down
$(i=0; for endpoint in $endpoints; do echo "  server ready$((i += 1)) $endpoint"; done)
backend kube_apiservers_not_ready
  balance roundrobin
  default-server ${server}
$(i=0; for endpoint in $endpoints; do echo "  server alive$((i += 1)) $endpoint"; done)
END
exec haproxy -db -f haproxy.cfg
`;

/**
 * Makes sure that the engine has the load balancer's image. One that it has stays; else it gets a stand-in made of a node image
 * made here, of which it keeps a file more.
 */
export const ensureBalancerImage = async (engine: EngineName, nodeImage: string, progress: Progress): Promise<void> => {
  if ((await tryExec(engine, ['image', 'inspect', balancerImage])).code === 0) return;
  await progress.phase(`image of the load balancer into ${engine}`, async () => {
    const container = `understudy-balancer-${randomBytes(4).toString('hex')}`;
    const folder = await mkdtemp(join(tmpdir(), 'understudy-balancer-'));
    try {
      const script = join(folder, 'envoy');
      await writeFile(script, envoyScript, { mode: 0o755 });
      await exec(engine, ['create', '--name', container, nodeImage]);
      await exec(engine, ['cp', script, `${container}:/usr/local/bin/envoy`]);
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
