import type { Observation } from './observation.ts';

/** Whether the operator may act at all. */
export const isManaged = (managementState: string | undefined): boolean =>
  managementState !== 'Unmanaged' && managementState !== 'Removed';

/**
 * Whether encryption is wished for or ever was: otherwise the controllers rest.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/preconditions.go
 */
const wasEverOn = ({ encryption, configSecret, keySecrets }: Observation): boolean => {
  if (encryption === undefined) return false;
  const { type = '' } = encryption;
  return (type !== '' && type !== 'identity') || configSecret !== undefined || keySecrets.length > 0;
};

export const shouldRun = (observation: Observation): boolean =>
  isManaged(observation.operator?.managementState) && wasEverOn(observation);
