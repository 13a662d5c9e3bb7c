import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { writeFileWhole } from '../common/files.ts';
import { cacheDir, projectDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { serviceFlags } from '../image/build.ts';
import { bundleService } from '../image/bundle.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { type Load, loadPlugin } from './pluginLoad.ts';
import { median, rounded } from './statistics.ts';

const rounds = 7;
/** A fresh process gets this long to compile its hot code. */
const warmUpSeconds = 1;
const measuredSeconds = 3;

interface Contestant {
  readonly name: 'ours' | 'peer';
  readonly command: readonly [string, ...string[]];
  readonly socket: string;
}

interface Result extends Load {
  /** From its start until it accepts connections, milliseconds. */
  readonly startMs: number;
  /** Resident after the load, bytes. */
  readonly rss: number;
  /** CPU time of its process for one request, microseconds. */
  readonly cpu: number;
}

/** The peer is built by Go; its build cache makes that a matter of a second from the second time on. */
const buildPeer = async (): Promise<string> => {
  const peer = join(cacheDir(), 'bench', 'kms-go');
  await exec('go', ['build', '-trimpath', '-o', peer, '.'], {
    cwd: join(projectDir, 'bench', 'kms-go'),
    next: "install Go 1.26 or newer, and see that 'go env GOPROXY' can be reached",
  });
  return peer;
};

const accepts = (socket: string): Promise<true | undefined> =>
  new Promise((resolve) => {
    const client = connect(socket);
    client.once('connect', () => {
      client.destroy();
      resolve(true);
    });
    client.once('error', () => resolve(undefined));
  });

/** CPU time that a process has had, microseconds; the kernel counts in hundredths of a second. */
const cpuTime = async (pid: number): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

const residentBytes = async (pid: number): Promise<number> =>
  Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

const measure = async (ghz: string, { command: [program, ...args], socket }: Contestant): Promise<Result> => {
  const begin = performance.now();
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await waitFor(() => accepts(socket), {
      what: `${program} listening`,
      timeoutMs: 10_000,
      intervalMs: 2,
      next: `run it by hand: ${[program, ...args].join(' ')}`,
    });
    const startMs = performance.now() - begin;
    const pid = child.pid ?? 0;
    await loadPlugin(ghz, socket, warmUpSeconds);
    const before = await cpuTime(pid);
    const load = await loadPlugin(ghz, socket, measuredSeconds);
    const cpu = ((await cpuTime(pid)) - before) / load.requests;
    return { ...load, startMs, cpu, rss: await residentBytes(pid) };
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(socket, { force: true });
  }
};

const row = (name: string, { requestsPerSecond, p50, p99, cpu, rss, startMs }: Result): string =>
  [
    name.padEnd(6),
    `${Math.round(requestsPerSecond)} requests/s`.padStart(18),
    `p50 ${p50.toFixed(2)} ms`.padStart(14),
    `p99 ${p99.toFixed(2)} ms`.padStart(14),
    `${cpu.toFixed(1)} µs CPU each`.padStart(18),
    `${(rss / 1e6).toFixed(0)} MB`.padStart(8),
    `up in ${startMs.toFixed(0)} ms`.padStart(15),
  ].join('');

const medians = (results: readonly Result[]): Result => ({
  requests: median(results.map(({ requests }) => requests)),
  requestsPerSecond: median(results.map(({ requestsPerSecond }) => requestsPerSecond)),
  p50: median(results.map(({ p50 }) => p50)),
  p99: median(results.map(({ p99 }) => p99)),
  cpu: median(results.map(({ cpu }) => cpu)),
  rss: median(results.map(({ rss }) => rss)),
  startMs: median(results.map(({ startMs }) => startMs)),
});

/**
 * Our plugin beside a Go server that does the same work: Encrypt of 32 bytes, 64 workers on 4 connections, in turns.
 * Ratios are medians of the ratios within one round, so that what else the machine does weighs little.
 */
export const benchPlugin = async (progress: Progress): Promise<Record<string, number>> => {
  const dir = await mkdtemp(join(tmpdir(), 'bench-plugin-'));
  try {
    const { ghz } = await ensurePrograms(['ghz'], progress);
    const peer = await progress.phase('build the peer', buildPeer);
    const bundle = join(dir, 'main.mjs');
    await writeFile(bundle, await bundleService(join(projectDir, 'plugin', 'main.ts')));
    const keystoreDir = join(dir, 'keys');
    await writeFileWhole(join(keystoreDir, 'wish.json'), '{"keys":[{"number":1,"version":1}],"faults":[]}');
    // As a node runs it: with a wish, rotation and faults in place.
    const ours: Contestant = {
      name: 'ours',
      socket: join(dir, 'kms-1.sock'),
      command: [process.execPath, ...serviceFlags, bundle, `--socket-dir=${dir}`, `--keystore-dir=${keystoreDir}`],
    };
    const peerSocket = join(dir, 'peer.sock');
    const theirs: Contestant = { name: 'peer', socket: peerSocket, command: [peer, peerSocket] };
    const results: Record<Contestant['name'], Result[]> = { ours: [], peer: [] };
    for (let round = 0; round < rounds; round++) {
      for (const contestant of round % 2 === 0 ? [theirs, ours] : [ours, theirs]) {
        const result = await measure(ghz, contestant);
        results[contestant.name].push(result);
        progress.note(row(contestant.name, result));
      }
    }
    const ratio = (of: (result: Result) => number): number =>
      median(results.ours.map((result, round) => of(result) / of(results.peer[round] ?? result)));
    const [our, their] = [medians(results.ours), medians(results.peer)];
    progress.note(row('peer', their));
    progress.note(row('ours', our));
    return {
      requestsRatio: rounded(ratio(({ requestsPerSecond }) => requestsPerSecond)),
      p99Ratio: rounded(ratio(({ p99 }) => p99)),
      oursRps: rounded(our.requestsPerSecond, 0),
      peerRps: rounded(their.requestsPerSecond, 0),
      oursP99Ms: rounded(our.p99),
      peerP99Ms: rounded(their.p99),
      oursCpuMicros: rounded(our.cpu, 1),
      peerCpuMicros: rounded(their.cpu, 1),
      oursRssBytes: our.rss,
      peerRssBytes: their.rss,
      oursStartMs: rounded(our.startMs, 0),
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
