import { encryptedAsAsked } from '../encrypt.ts';
import { exclusively } from '../exclusive.ts';
import { checkSharedDir } from '../sharedDir.ts';
import { ensureStackPrograms } from '../toolchain.ts';
import { type BringUp, conclude, runEngine } from '../upEnd.ts';
import { leavingTheRest } from '../upTimeout.ts';
import { checkCloud } from './check.ts';
import { withCloud } from './connection.ts';
import { readyNodes } from './nodes.ts';

/** As long as OpenShift's own suite waits for a roll-out. */
const encryptedWithin = '79m';

/** `up` of a stack on an OpenShift that exists. */
export const bringUpCloud: BringUp = async (stack, options, begin, time, plugin) => {
  const { progress } = time;
  await exclusively(stack, progress, async () => {
    await checkSharedDir();
    // First of all, also where there is an engine's state: so nothing is changed in a cluster that has become unfit.
    const { version } = await progress.phase(`checks of the cluster for stack ${stack.name}`, () => checkCloud(stack));
    progress.note(`OpenShift ${version}`);
    await ensureStackPrograms(stack, progress);
    const changes = await runEngine(stack, time);
    const { deployment } = stack.settings.cloud;
    const [{ type }, readiness] = await leavingTheRest(
      progress.phase('encrypted as asked', () =>
        Promise.all([
          encryptedAsAsked(stack, { timeout: encryptedWithin, progress }),
          deployment === 'daemonset' ? plugin.ready(progress) : undefined,
        ]),
      ),
    );
    await withCloud(stack, `finish stack ${stack.name}`, async (client, kubeconfig) => {
      const done = {
        changes,
        healed: false,
        nodes: await readyNodes(client),
        hollowNodes: 0,
        encryption: type,
        readiness,
      };
      await conclude(stack, options, begin, progress, kubeconfig, done);
    });
  });
};
