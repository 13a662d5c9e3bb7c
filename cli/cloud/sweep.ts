import { stackLabel } from '../../common/stackLabel.ts';
import { waitFor } from '../../common/waitFor.ts';
import { isNotFound, type KubeClient } from '../../providers/kubernetes/client.ts';
import { type KubeObject, stringAt } from '../../providers/kubernetes/objects.ts';

/** All that a stack may have made in a cluster that is not its own, but for the switch of its encryption. */
const objects = [
  { what: 'namespace openshift-kms-plugin', path: '/api/v1/namespaces/openshift-kms-plugin' },
  {
    what: 'securitycontextconstraints understudy-kms-plugin',
    path: '/apis/security.openshift.io/v1/securitycontextconstraints/understudy-kms-plugin',
  },
  {
    what: 'secret openshift-config/understudy-approle',
    path: '/api/v1/namespaces/openshift-config/secrets/understudy-approle',
  },
] as const;

const answerWithinMs = 20_000;
const goneWithinMs = 120_000;

const find = async (client: KubeClient, path: string): Promise<KubeObject | undefined> => {
  try {
    return (await client.send({ method: 'GET', path, signal: AbortSignal.timeout(answerWithinMs) })).body;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** Those of a stack that are there. */
export const leftInCloud = async (client: KubeClient, stack: string): Promise<readonly (typeof objects)[number][]> => {
  const found = await Promise.all(
    objects.map(async (object) => {
      const there = await find(client, object.path);
      return there !== undefined && stringAt(there, 'metadata', 'labels', stackLabel) === stack ? [object] : [];
    }),
  );
  return found.flat();
};

/** Removes what a stack left, for an engine that has lost its state. @returns names of what is still there */
export const sweepCloud = async (client: KubeClient, stack: string): Promise<readonly string[]> => {
  for (const { path } of await leftInCloud(client, stack)) {
    await client
      .send({ method: 'DELETE', path, signal: AbortSignal.timeout(answerWithinMs) })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
  let left = await leftInCloud(client, stack);
  const isClean = async (): Promise<true | undefined> => {
    left = await leftInCloud(client, stack);
    return left.length === 0 ? true : undefined;
  };
  if (left.length > 0) {
    const options = { what: 'all of it gone', timeoutMs: goneWithinMs, intervalMs: 500, next: '' };
    // What is still there then is told by its name.
    await waitFor(isClean, options).catch(() => {});
  }
  return left.map(({ what }) => what);
};
