import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectDir } from '../../common/paths.ts';
import type { Progress } from '../../common/progress.ts';
import { restingServiceFlags } from '../../image/build.ts';
import { bundleService } from '../../image/bundle.ts';
import { authorityOf, issueToken, reportOf, see } from '../../test/integration/reporterRun.ts';
import { cpuMs, findProcess, residentBytes } from '../processes.ts';
import { rounded } from '../statistics.ts';
import { type HealthCluster, startHealthCluster } from './cluster.ts';

const idleSeconds = 90;
const outageSeconds = 300;
const outageIntervalSeconds = 5;

/** The reporter as it runs in its pod, with three keys. */
const startReporter = async (
  { cluster, node }: HealthCluster,
  dir: string,
  interval: string,
): Promise<ChildProcess> => {
  const authority = authorityOf(cluster).toString('base64');
  const kubeconfig = {
    clusters: [{ name: 'c', cluster: { server: cluster.client.server, 'certificate-authority-data': authority } }],
    users: [{ name: 'u', user: { token: await issueToken(cluster) } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(join(dir, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 });
  const sockets = [1, 2, 3].map((key) => `unix:///var/run/kmsplugin/kms-${key}.sock`).join(',');
  const command = [
    process.execPath,
    ...restingServiceFlags,
    join(dir, 'main.mjs'),
    `--kms-sockets=${sockets}`,
    `--node-name=${node.name}`,
    `--interval=${interval}`,
    `--kubeconfig=${join(dir, 'kubeconfig')}`,
    '--metrics-addr=127.0.0.1:0',
    '--log-level=error',
  ];
  const script = `mount -t tmpfs tmpfs /run && mkdir /run/kmsplugin && mount --bind '${node.socketsDir}' /run/kmsplugin && exec "$@"`;
  return spawn('unshare', ['--mount', 'sh', '-euc', script, 'sh', ...command], { stdio: 'inherit' });
};

const lastChecked = async ({ cluster, node }: HealthCluster): Promise<number | undefined> => {
  const message = await reportOf(cluster, node.name)
    .then((condition) => condition?.message)
    .catch(() => undefined);
  return message === undefined ? undefined : Date.parse(JSON.parse(message)[0].lastChecked);
};

/** Memory and processor time of one reporter, at rest and over an outage of its API server. */
export const measureReporter = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const dir = await mkdtemp(join(tmpdir(), 'us-bench-'));
  const health = await startHealthCluster();
  let reporter: ChildProcess | undefined;
  const start = async (interval: string): Promise<number> => {
    reporter?.kill('SIGKILL');
    reporter = await startReporter(health, dir, interval);
    const since = Date.now();
    await see('a report', async () => ((await lastChecked(health)) ?? 0) >= since || undefined, 20_000);
    return findProcess('node', join(dir, 'main.mjs'));
  };
  try {
    await writeFile(join(dir, 'main.mjs'), await bundleService(join(projectDir, 'reporter', 'main.ts')));
    const resting = await start('30s');
    const before = await cpuMs(resting);
    await progress.phase(`a reporter at 30 s, for ${idleSeconds} s`, () => sleep(idleSeconds * 1000));
    const reporterMilliCpu = rounded((await cpuMs(resting)) - before) / idleSeconds;
    const reporterRssBytes = await residentBytes(resting);

    const pid = await start(`${outageIntervalSeconds}s`);
    await sleep(3 * outageIntervalSeconds * 1000);
    const rssBefore = await residentBytes(pid);
    await health.node.kill();
    await progress.phase(`an outage of the API server of ${outageSeconds} s`, () => sleep(outageSeconds * 1000));
    const rssAfter = await residentBytes(pid);
    await health.node.boot();
    const back = Date.now();
    await see('a fresh report', async () => ((await lastChecked(health)) ?? 0) >= back || undefined, 60_000);
    return {
      reporterRssBytes,
      reporterMilliCpu: rounded(reporterMilliCpu),
      outageSeconds,
      outageIntervalSeconds,
      freshAfterOutageSeconds: rounded((Date.now() - back) / 1000),
      outageRssGrowthBytes: rssAfter - rssBefore,
    };
  } finally {
    reporter?.kill('SIGKILL');
    await health.cluster.stop();
    await rm(dir, { recursive: true, force: true });
  }
};
