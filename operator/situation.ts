import { readConfigSecret } from './configSecret.ts';
import { type Deployed, deployedConfig, isAlone } from './deployed.ts';
import { type EncryptionConfig, readKeySecrets, stateOf } from './encryptionConfig.ts';
import type { InvalidKey } from './keySecret.ts';
import type { EncryptionState, KeyState } from './keyState.ts';
import { encryptedResources } from './names.ts';
import type { Observation, Secret } from './observation.ts';
import { nextState } from './transition.ts';

/** What all controllers work out first from an observation. */
export interface Situation {
  readonly observation: Observation;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly keys: readonly KeyState[];
  readonly invalidKeys: readonly InvalidKey[];
  /** undefined while API servers have not converged: then no controller decides anything. */
  readonly settled: Settled | undefined;
}

export interface Settled {
  readonly config: EncryptionConfig | undefined;
  readonly current: EncryptionState;
  readonly desired: EncryptionState;
}

const read = (secret: Secret): EncryptionConfig | undefined => {
  try {
    return readConfigSecret(secret);
  } catch (thrown) {
    const { namespace, name } = secret.metadata;
    throw new Error(
      `invalid encryption config ${namespace}/${name}: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
  }
};

const settle = (deployed: Deployed, keys: readonly KeyState[], alone: boolean): Settled | undefined => {
  if (!deployed.converged) return undefined;
  const config = deployed.secret && read(deployed.secret);
  const desired = nextState({ config, keys, resources: encryptedResources, alone });
  return { config, current: stateOf(config, keys), desired };
};

/** @throws where the configuration that all API servers have loaded cannot be understood */
export const situationOf = (observation: Observation, now: number): Situation => {
  const { keys, invalid } = readKeySecrets(observation.keySecrets);
  const settled = settle(deployedConfig(observation), keys, isAlone(observation));
  return { observation, now, keys, invalidKeys: invalid, settled };
};
