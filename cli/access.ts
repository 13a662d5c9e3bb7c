import { type ClusterAccess, readAccess } from '../cluster/access.ts';
import { Failure } from '../common/failure.ts';
import type { Stack } from './stack.ts';

/** @throws Failure where the stack is not up */
export const requireAccess = async (stack: Stack, tried: string): Promise<ClusterAccess> => {
  const access = await readAccess(stack.clusterDir);
  if (access !== undefined) return access;
  throw new Failure({ tried, got: `stack ${stack.name} is not up`, next: `run 'understudy up ${stack.name}'` });
};
