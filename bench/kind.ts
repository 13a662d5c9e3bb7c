import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cniConfiguration } from '../cluster/nodeConfiguration.ts';
import { exec } from '../common/exec.ts';
import type { Progress } from '../common/progress.ts';
import { type Engine, startEngine } from '../kind/engine/engine.ts';
import { ensureNodeImage } from '../kind/nodeImage/build.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { createBenchStack } from './stack.ts';
import { median, rounded } from './statistics.ts';

const rounds = 3;
const threeRounds = 1;

/** What kind alone is told: what this machine needs, and what makes etcd as fast as ours. */
const bareConfiguration = stringify({
  kind: 'Cluster',
  apiVersion: 'kind.x-k8s.io/v1alpha4',
  networking: { disableDefaultCNI: true },
  nodes: [{ role: 'control-plane' }],
  kubeadmConfigPatches: [
    stringify({ kind: 'KubeletConfiguration', failCgroupV1: false }),
    stringify({
      kind: 'ClusterConfiguration',
      etcd: { local: { extraArgs: [{ name: 'unsafe-no-fsync', value: 'true' }] } },
    }),
  ],
});

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
};

/** `kind create cluster` until its node is Ready, and `kind delete cluster`. @returns seconds of the former */
const kindAlone = async ({ env }: Engine, kind: string, image: string, dir: string): Promise<number> => {
  const config = join(dir, 'bare.yaml');
  await writeFile(config, bareConfiguration);
  const node = 'bare-control-plane';
  const files = ['--config', config, '--kubeconfig', join(dir, 'kubeconfig')];
  // The node image has no network plugin of kind's.
  const network = ['exec', '--interactive', node, 'cp', '/dev/stdin', '/etc/cni/net.d/10-bare.conflist'];
  const wait = ['exec', node, 'kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', 'wait', '--for=condition=Ready'];
  try {
    return await secondsOf(async () => {
      await exec(kind, ['create', 'cluster', '--name', 'bare', '--image', image, '--quiet', ...files], { env });
      await exec('docker', network, { env, input: cniConfiguration({ podCidr: '10.244.0.0/24' }) });
      await exec('docker', [...wait, 'nodes', '--all', '--timeout=120s'], { env });
    });
  } finally {
    await exec(kind, ['delete', 'cluster', '--name', 'bare', '--kubeconfig', join(dir, 'kubeconfig')], { env });
  }
};

/** Lines of `up` that end a phase, in their order. */
const milestones: readonly (readonly [phase: string, line: RegExp])[] = [
  ['kind cluster made', /✓ kind cluster /],
  ['operator ready', /created Deployment /],
  ['engine done', /created Stack /],
  ['nodes and plugin ready, encrypted', /✓ nodes and KMS plugin ready/],
];

const timeOf = (stderr: string, pattern: RegExp): number => {
  const line = stderr.split('\n').find((candidate) => pattern.test(candidate));
  return Number(/^\s*([\d.]+)s/.exec(line ?? '')?.[1] ?? Number.NaN);
};

interface UpJson {
  readonly plugin: { readonly seconds: number | null };
}

/** `understudy up` with three control planes: seconds of all, and from the cluster to the plugin on all of them. */
const withThree = async (engine: Engine, progress: Progress) => {
  const stack = await createBenchStack({ platform: 'kind', controlPlanes: 3 }, engine);
  const all: { up: number; cluster: number; plugin: number }[] = [];
  try {
    for (let round = 1; round <= threeRounds; round++) {
      const up = await progress.phase(`up with three control planes, round ${round} of ${threeRounds}`, () =>
        stack.run('up', '--json'),
      );
      const { plugin } = JSON.parse(up.stdout) as UpJson;
      const cluster = timeOf(up.stderr, /✓ kind cluster /);
      all.push({ up: up.seconds, cluster, plugin: (plugin.seconds ?? Number.NaN) - cluster });
      await progress.phase('down', () => stack.run('down'));
    }
  } finally {
    await stack.remove();
  }
  return {
    upSeconds: rounded(median(all.map(({ up }) => up))),
    clusterSeconds: rounded(median(all.map(({ cluster }) => cluster))),
    pluginAfterClusterSeconds: rounded(median(all.map(({ plugin }) => plugin))),
  };
};

/** `up` on kind beside `kind create cluster` alone, in turns, in one engine of their own; then three control planes. */
export const benchKind = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const image = await ensureNodeImage(progress);
  const { kind } = await ensurePrograms(['kind', 'pulumi', 'kubectl'], progress);
  const dir = await mkdtemp(join(tmpdir(), 'us-kind-'));
  const engine = await startEngine('docker', join(dir, 'engine'), progress);
  const alone: number[] = [];
  const ups: number[] = [];
  const again: number[] = [];
  const downs: number[] = [];
  const phases: (readonly number[])[] = [];
  try {
    const { env } = engine;
    await progress.phase('load the node image', () => exec('docker', ['load', '--input', image.archive], { env }));
    const stack = await createBenchStack({ platform: 'kind' }, engine);
    try {
      for (let round = 1; round <= rounds; round++) {
        const of = `round ${round} of ${rounds}`;
        alone.push(await progress.phase(`kind alone, ${of}`, () => kindAlone(engine, kind, image.reference, dir)));
        const up = await progress.phase(`up, ${of}`, () => stack.run('up'));
        ups.push(up.seconds);
        phases.push(milestones.map(([, pattern]) => timeOf(up.stderr, pattern)));
        again.push((await progress.phase('up again', () => stack.run('up'))).seconds);
        downs.push((await progress.phase('down', () => stack.run('down'))).seconds);
      }
    } finally {
      await stack.remove();
    }
    const three = await withThree(engine, progress);
    const added = ups.map((seconds, i) => seconds - (alone[i] ?? Number.NaN));
    const medianPhases = milestones.map(
      ([phase], i) => [phase, median(phases.map((at) => at[i] ?? Number.NaN))] as const,
    );
    const table = medianPhases.map(([phase, at]) => `  ${phase.padEnd(36)} after ${at.toFixed(1)} s`);
    process.stderr.write(
      `\nkind create cluster alone ${median(alone).toFixed(1)} s, up ${median(ups).toFixed(1)} s, added ${median(added).toFixed(1)} s, median of ${rounds}:\n${table.join('\n')}\n\n`,
    );
    return {
      kindAloneSeconds: rounded(median(alone)),
      kindAloneSecondsAll: alone.map((seconds) => rounded(seconds)),
      upSeconds: rounded(median(ups)),
      upSecondsAll: ups.map((seconds) => rounded(seconds)),
      addedSeconds: rounded(median(added)),
      upAgainSeconds: rounded(median(again)),
      downSeconds: rounded(median(downs)),
      phases: Object.fromEntries(medianPhases),
      threeControlPlanes: three,
    };
  } finally {
    await engine.stop();
    await rm(dir, { recursive: true, force: true });
  }
};
