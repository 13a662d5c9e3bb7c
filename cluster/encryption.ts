import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { readAccess } from './access.ts';
import {
  type ApiServer,
  hasLoadedFile,
  readStage,
  restartApiServer,
  restartDns,
  waitForProviders,
  writeStage,
} from './apiServer.ts';
import { boxPid } from './box.ts';
import { encryptionStages, kmsSocketPath, stagesAfter } from './encryptionConfiguration.ts';
import { inspectCluster } from './inspect.ts';
import { whileWatchersPause } from './pause.ts';
import { controlPlanesOf } from './plan.ts';
import { rewriteUnencrypted } from './rewrite.ts';

/** There once all that was stored before the switch has been written again. */
const doneMarker = (dir: string): string => join(dir, 'encryption-completed');

/** No API server is told of a plugin that is not there: its secrets would be out of reach. */
const waitForSocket = async ({ plan, node }: ApiServer): Promise<void> => {
  const pid = await boxPid(plan.id, node.name);
  await waitFor(async () => ((await stat(`/proc/${pid}/root${kmsSocketPath}`)).isSocket() ? true : undefined), {
    what: `the KMS plugin's socket ${kmsSocketPath} on ${node.name}`,
    timeoutMs: 60_000,
    next: "see 'understudy logs kms-plugin'",
  });
};

/** Whether all that is stored was written under the current key. */
export const isEncryptionCompleted = async (dir: string): Promise<boolean> =>
  (await readFileIfThere(doneMarker(dir))) !== undefined;

const findApiServers = async (dir: string): Promise<readonly ApiServer[]> => {
  const [state, access] = await Promise.all([inspectCluster(dir), readAccess(dir)]);
  if (state === undefined || access === undefined) {
    throw new Failure({
      tried: `switch encryption on in ${dir}`,
      got: 'there is no cluster',
      next: "run 'understudy up'",
    });
  }
  return controlPlanesOf(state.plan).map((node) => ({ plan: state.plan, node, access }));
};

/** Restarts those API servers that do not work with their files' content yet, and waits until all do. */
const converge = async (servers: readonly ApiServer[]): Promise<void> => {
  const loaded = await Promise.all(servers.map(hasLoadedFile));
  const stale = servers.filter((_, i) => loaded[i] === false);
  const [first] = stale;
  if (first === undefined) return;
  await whileWatchersPause(first.plan, async () => {
    await Promise.all(
      stale.map(async (server) => {
        await restartApiServer(server);
        await waitForProviders(server);
      }),
    );
  });
};

/**
 * Switches the encryption of secrets and config maps on: the KMS plugin's key is made readable by all API servers, then
 * written, then everything stored before is written again. Can be killed and repeated at any point; where encryption is
 * on, it only makes sure of that.
 * @throws Failure where an API server has no working plugin after 90 s
 */
export const switchEncryptionOn = async (dir: string, progress: Progress): Promise<void> => {
  const servers = await findApiServers(dir);
  const [first] = servers;
  if (first === undefined) return;
  await Promise.all(servers.map(waitForSocket));
  // A run that was killed may have written files that no API server has read yet.
  if (!(await isEncryptionCompleted(dir))) await converge(servers);
  const stages = await Promise.all(servers.map(readStage));
  const behind = encryptionStages.find((stage) => stages.includes(stage)) ?? 'identity';
  for (const stage of stagesAfter(behind, servers.length)) {
    await progress.phase(`encryption key ${stage} by all API servers`, async () => {
      await Promise.all(servers.map((server) => writeStage(server, stage)));
      await converge(servers);
    });
  }
  await Promise.all(servers.map(waitForProviders));
  // A box that was started again waits for its plugin shorter than a running one should; its API server sees this by itself.
  await Promise.all(servers.map((server) => writeStage(server, 'written')));
  if (await isEncryptionCompleted(dir)) return;
  await converge(servers);
  await Promise.all([
    progress.phase('everything stored before written again', () => rewriteUnencrypted(first.access, first.plan.spec)),
    // It began before the program gave it its role, and would come back late.
    progress.phase('DNS', () => Promise.all(servers.map(restartDns))),
  ]);
  await writeFileWhole(doneMarker(dir), '');
};
