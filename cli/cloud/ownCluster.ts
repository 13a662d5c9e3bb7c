import { UsageFailure } from '../../common/failure.ts';
import { isCloud } from '../../infra/cloudSettings.ts';
import type { Stack } from '../stack.ts';

/** @throws UsageFailure where the plugins of a stack are run by a cluster's own operator, which knows nothing of faults and versions */
export const requireOwnCluster = ({ name, settings: { platform } }: Stack, tried: string): void => {
  if (!isCloud(platform)) return;
  throw new UsageFailure({
    tried,
    got: `stack ${name} is on ${platform}, where OpenShift's own operators have the KMS plugins`,
    next: 'use a stack with platform local or kind',
  });
};
