import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exec } from '../../common/exec.ts';
import { projectDir } from '../../common/paths.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { type Home, makeHome } from './support/home.ts';

/** An address of the test's own outside, and a port on it. */
const outside = '203.0.113.1';
const port = 8099;

let home: Home;
beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

const server = `require('node:net').createServer((socket) => socket.end(socket.remoteAddress)).listen(${port}, '${outside}')`;
const client = `require('node:net').connect(${port}, '${outside}').on('data', (text) => console.log('outside saw ' + text))`;

/** Everything happens in a network namespace with a stand-in for the outside, which nothing can leave. */
const script = (kubectl: string, kubeconfig: string): string => `set -euo pipefail
ip link set lo up
ip link add outside type bridge
ip address add ${outside}/24 dev outside
ip link set outside up
understudy() { node ${join(projectDir, 'cli', 'understudy.js')} "$@" out --quiet; }
trap 'understudy down > /dev/null' EXIT
understudy up
echo "rules up: $(iptables-save | grep -c understudy-)"
node -e "${server}" & server=$!
export KUBECONFIG=${kubeconfig}
pod=$(${kubectl} get pods -n openshift-kms-plugin -o name)
${kubectl} exec -n openshift-kms-plugin "$pod" -- /usr/bin/node -e "${client}"
kill $server
understudy down
echo "rules down: $(iptables-save | grep -c understudy- || true)"
`;

it('lets pods out, behind the address of their node, and takes its rules away', async () => {
  await home.writeStack('out', { egress: true });
  const { kubectl } = await ensurePrograms(['kubectl'], silentProgress);
  const kubeconfig = join(home.clusterDir('out'), 'kubeconfig');
  const output = await exec('unshare', ['--net', 'bash', '-c', script(kubectl, kubeconfig)], { env: home.env });
  expect(output).toContain('rules up: 3');
  expect(output).toMatch(/outside saw 10\.213\.\d+\.11/);
  expect(output).toContain('rules down: 0');
});
