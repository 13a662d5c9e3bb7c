import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { projectDir } from '../common/paths.ts';

/** What one run of ghz saw. */
export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

interface GhzReport {
  readonly count: number;
  readonly rps: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  /** Latencies in nanoseconds. */
  readonly latencyDistribution: readonly { readonly percentage: number; readonly latency: number }[];
}

const workers = 64;
const connections = 4;
const plaintext = Buffer.alloc(32, 7).toString('base64');
const uid = '3f1c1b1e-7b0e-4d7e-9d6b-0c8b8c2c9a11';

/** Asks a plugin for Encrypt as fast as it can for `seconds`. */
export const loadPlugin = async (ghz: string, socket: string, seconds: number): Promise<Load> => {
  const output = await exec(ghz, [
    '--insecure',
    `--proto=${join(projectDir, 'protos', 'kms', 'v2', 'api.proto')}`,
    '--call=v2.KeyManagementService.Encrypt',
    `--data=${JSON.stringify({ plaintext, uid })}`,
    `--concurrency=${workers}`,
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    // Calls that the end of the time breaks off are no failures.
    '--duration-stop=ignore',
    '--format=json',
    `unix://${socket}`,
  ]);
  const report: GhzReport = JSON.parse(output);
  const codes = Object.keys(report.statusCodeDistribution);
  if (codes.some((code) => code !== 'OK')) {
    const got = `answers ${JSON.stringify(report.statusCodeDistribution)}`;
    throw new Failure({ tried: `measure the plugin at ${socket}`, got, next: 'read what the plugin says' });
  }
  const percentile = (wanted: number): number =>
    (report.latencyDistribution.find(({ percentage }) => percentage === wanted)?.latency ?? Number.NaN) / 1e6;
  return { requests: report.count, requestsPerSecond: report.rps, p50: percentile(50), p99: percentile(99) };
};
