import { expect, it } from 'vitest';
import type { z } from 'zod';
import { ApiError, Unreachable } from '../../providers/kubernetes/client.ts';
import type { ClusterObjects } from '../clusterObjects.ts';
import { readEncryption } from './read.ts';

/** A cluster that has only APIServer/cluster, and answers for secrets with an error. */
const clusterWith = (failure: Error): ClusterObjects => ({
  read: async <T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T> | undefined> => {
    if (path.includes('/secrets')) throw failure;
    return path.includes('/apiservers/') ? shape.parse({ metadata: { name: 'cluster' } }) : undefined;
  },
  patch: async () => {},
  close: () => {},
});

it.each([
  ['refuses', new ApiError(500, { message: 'got unexpected nil transformer' })],
  ['puts it off for too long', new Unreachable('the API server does not answer within 3 s')],
])('reads what can be read where the API server %s to read secrets', async (_, failure) => {
  expect(await readEncryption(clusterWith(failure))).toMatchObject({
    apiServer: { spec: { encryption: { type: '' } } },
    keySecrets: [],
    unreadable: failure.message,
  });
});

it('does not hide other failures', async () => {
  await expect(readEncryption(clusterWith(new TypeError('a bug')))).rejects.toThrow('a bug');
});
