import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { Failure, UsageFailure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { createBenchStack } from './stack.ts';
import { rounded } from './statistics.ts';

/** The commit that the figures in bench/results are of. */
const commit = 'c813e820bb94cf2af88a6343c8554624c334c04c';

/**
 * Each on a cluster of its own: test package, mode, and the mode that `up` leaves the cluster in. Another one than both that
 * the tests switch between: so the first of them has something to wait for, instead of five minutes for nothing.
 */
const suites = [
  { name: 'e2e-encryption', provider: 'aescbc', start: 'aesgcm' },
  { name: 'e2e-encryption', provider: 'aesgcm', start: 'aescbc' },
  { name: 'e2e-encryption', provider: 'KMS', start: 'aescbc' },
  { name: 'e2e-encryption-rotation', provider: 'aescbc', start: 'identity' },
  { name: 'e2e-encryption-rotation', provider: 'aesgcm', start: 'identity' },
] as const;
type Suite = (typeof suites)[number];

export interface TestOutcome {
  readonly test: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** The outcomes in what `go test -v` prints. */
export const outcomesOf = (output: string): readonly TestOutcome[] =>
  [...output.matchAll(/^--- (PASS|FAIL): (\S+) \(([\d.]+)s\)$/gm)].map(([, outcome, test = '', seconds]) => ({
    test,
    passed: outcome === 'PASS',
    seconds: Number(seconds),
  }));

/** The suite waits this long where it expects that no new key comes; nobody can make it faster. */
export const quietSecondsOf = (output: string): number =>
  300 * (output.match(/Haven't seen a new key for/g)?.length ?? 0);

const checkoutOf = (env: NodeJS.ProcessEnv): string => {
  const checkout = env.OPENSHIFT_SUITE;
  if (checkout !== undefined) return checkout;
  throw new UsageFailure({
    tried: "run OpenShift's encryption suite",
    got: 'OPENSHIFT_SUITE names no checkout of github.com/openshift/cluster-kube-apiserver-operator',
    next: `clone it, 'git checkout ${commit}', and set OPENSHIFT_SUITE to its folder; see docs/openshift-suite.md`,
  });
};

/** Runs a test program of the suite against a kubeconfig, with kubectl under the name that the suite calls. */
const runTests = async (program: string, provider: string, env: NodeJS.ProcessEnv, log: string): Promise<string> => {
  const file = createWriteStream(log);
  const child = spawn(program, ['-test.v', '-test.timeout=2h', `-provider=${provider}`], { env });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      parts.push(text);
      file.write(text);
    });
  }
  await once(child, 'close');
  file.end();
  return parts.join('');
};

interface Workplace {
  /** Where the test programs are. */
  readonly dir: string;
  /** PATH with kubectl under the name that the suite calls. */
  readonly path: string;
}

const runSuite = async (
  { name, provider, start }: Suite,
  { dir, path }: Workplace,
  progress: Progress,
): Promise<object> => {
  const stack = await createBenchStack({ platform: 'local', encryption: start });
  const label = `${name} -provider ${provider}`;
  try {
    const { seconds: upSeconds } = await progress.phase(`up for ${label}`, () => stack.run('up'));
    const env = { ...process.env, KUBECONFIG: join(stack.home, 'clusters', 'bench', 'kubeconfig'), PATH: path };
    const log = join(tmpdir(), `openshift-${name}-${provider}.log`);
    const begin = performance.now();
    const output = await progress.phase(label, () => runTests(join(dir, name), provider, env, log));
    const seconds = (performance.now() - begin) / 1000;
    const tests = outcomesOf(output);
    if (tests.length === 0 || tests.some((test) => !test.passed)) {
      throw new Failure({ tried: `pass ${label}`, got: output.slice(-2_000), next: `read ${log}` });
    }
    return {
      suite: name,
      provider,
      upSeconds: rounded(upSeconds),
      seconds: rounded(seconds),
      itsOwnQuietSeconds: quietSecondsOf(output),
      tests,
    };
  } finally {
    await stack.remove();
  }
};

/** OpenShift's own encryption suite, unchanged, against `understudy up`. Takes its time: it waits minutes to see nothing happen. */
export const benchSuite = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const checkout = checkoutOf(process.env);
  const dir = await mkdtemp(join(tmpdir(), 'us-suite-'));
  try {
    for (const name of new Set(suites.map((suite) => suite.name))) {
      await progress.phase(`build ${name}`, () =>
        exec('go', ['test', '-mod=vendor', '-c', '-o', join(dir, name), `./test/${name}`], { cwd: checkout }),
      );
    }
    const { kubectl } = await ensurePrograms(['kubectl'], progress);
    await mkdir(join(dir, 'bin'));
    await symlink(kubectl, join(dir, 'bin', 'oc'));
    // Side by side: they wait most of the time, each in a cluster of its own.
    const results = await Promise.all(
      suites.map((suite) => runSuite(suite, { dir, path: `${join(dir, 'bin')}:${process.env.PATH}` }, progress)),
    );
    return { commit, results };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
