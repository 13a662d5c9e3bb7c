import { accessesOf } from '../../cloud/accesses.ts';
import { observeCloud } from '../../cloud/observe.ts';
import { problemsOf } from '../../cloud/requirements.ts';
import { Failure } from '../../common/failure.ts';
import type { CheckedCluster } from '../../infra/cloud/ExistingCluster.ts';
import { type CloudPlatform, isCloud } from '../../infra/cloudSettings.ts';
import { registriesOf } from '../registryCredentials.ts';
import type { Stack } from '../stack.ts';
import { registryCredentialsOf } from '../stackSecrets.ts';
import { withCloud } from './connection.ts';
import { type CloudRecord, readCloudRecord, writeCloudRecord } from './record.ts';

const answerWithinMs = 20_000;

const requireCloud = ({ name, settings: { platform } }: Stack): CloudPlatform => {
  if (isCloud(platform)) return platform;
  throw new Error(`stack ${name} has platform ${platform}`);
};

/** What a stack goes back to: how it found the cluster, unless that was its own doing. */
const modeBefore = (type: string): CloudRecord['encryptionBefore'] =>
  type === 'aescbc' || type === 'aesgcm' ? type : 'identity';

/**
 * Whether the cluster that a stack means is one for it; only looks. What it was before the stack is kept.
 * @throws Failure with all that it lacks
 */
export const checkCloud = async (stack: Stack): Promise<CheckedCluster> => {
  const platform = requireCloud(stack);
  const { registry = '', deployment } = stack.settings.cloud;
  const credentials = await registryCredentialsOf(stack);
  const record = await readCloudRecord(stack.clusterDir);
  const tried = `use this cluster for stack ${stack.name}`;
  return withCloud(stack, tried, async (client, path) => {
    const seen = await observeCloud(client, accessesOf(deployment), AbortSignal.timeout(answerWithinMs));
    const problems = problemsOf(seen, {
      stack: stack.name,
      platform,
      deployment,
      registry,
      credentials: credentials === undefined ? [] : registriesOf(credentials),
      clusterID: record?.clusterID,
    });
    if (problems.length > 0 || seen.openShift === undefined) {
      throw new Failure({
        tried: `${tried}, which ${path} names`,
        got: problems.map(({ got }) => got).join('\n  and '),
        next: [...new Set(problems.map(({ next }) => next))].join('; '),
      });
    }
    const { clusterID, version } = seen.openShift;
    const kept = record ?? { clusterID, encryptionBefore: modeBefore(seen.encryption?.type ?? '') };
    if (record === undefined) await writeCloudRecord(stack.clusterDir, kept);
    return { version, encryptionBefore: kept.encryptionBefore };
  });
};
