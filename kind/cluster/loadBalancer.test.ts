import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { balancerFolder, envoyScript } from './loadBalancer.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balancer-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const listener = `
resources:
- "@type": listener
  address:
    socket_address:
      address: "0.0.0.0"
      port_value: 6443
`;

const endpoint = (name: string): string => `      - endpoint:
          address:
            socket_address:
              address: ${name}
              port_value: 6443
`;

const endpoints = `
resources:
- "@type": cluster
  connect_timeout: 0.25s
  load_assignment:
    endpoints:
    - lb_endpoints:
${endpoint('us-kind-control-plane')}${endpoint('us-kind-control-plane2')}${endpoint('us-kind-control-plane3')}`;

test('the stand-in for Envoy waits until kind has written both files, then forwards from its port to each control plane', async () => {
  await writeFile(join(dir, 'haproxy'), '#!/bin/sh\ncat "$3"\n', { mode: 0o755 });
  for (const file of ['cds.yaml', 'lds.yaml']) await writeFile(join(dir, file), 'resources: []');
  const script = envoyScript.replace(balancerFolder, dir);
  const envoy = spawn('bash', ['-c', script, 'envoy', '-c', `${balancerFolder}/envoy.yaml`], {
    env: { PATH: `${dir}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(envoy.stdout);
  const ended = once(envoy, 'exit');
  await writeFile(join(dir, 'cds.yaml'), endpoints);
  await writeFile(join(dir, 'lds.yaml.tmp'), listener);
  await rename(join(dir, 'lds.yaml.tmp'), join(dir, 'lds.yaml'));
  await ended;
  const lines = (await said).split('\n').map((line) => line.trim());
  expect(lines.filter((line) => /^(bind|backend|server) /.test(line))).toEqual([
    'bind 0.0.0.0:6443',
    'backend kube_apiservers',
    'server ready1 us-kind-control-plane:6443',
    'server ready2 us-kind-control-plane2:6443',
    'server ready3 us-kind-control-plane3:6443',
    'backend kube_apiservers_not_ready',
    'server alive1 us-kind-control-plane:6443',
    'server alive2 us-kind-control-plane2:6443',
    'server alive3 us-kind-control-plane3:6443',
  ]);
});
