import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../common/failure.ts';
import { kmsClient } from '../../protos/kms/v2/client.ts';

/** The KMS plugin of this node, by the sockets of its keys. */
export interface Plugin {
  /**
   * The key_id of a key by its Status.
   * @throws Failure where the socket does not answer, or not well.
   */
  keyIDOf(keyNumber: number): Promise<string>;
  /**
   * Waits until all these keys are served.
   * @throws Failure where one is not within `withinMs`.
   */
  untilServed(keyNumbers: readonly number[], withinMs: number, signal: AbortSignal): Promise<void>;
}

const answersWithinMs = 1_000;
const pollMs = 50;

/** @param socketsDir `/var/run/kmsplugin` */
export const pluginAt = (socketsDir: string): Plugin => {
  const keyIDOf = async (keyNumber: number): Promise<string> => {
    const tried = `use key ${keyNumber} of the KMS plugin`;
    const next = 'see pod kms-plugin of this node in openshift-kms-plugin';
    const client = kmsClient(join(socketsDir, `kms-${keyNumber}.sock`), answersWithinMs);
    const result = await client.status().finally(() => client.close());
    if (!result.ok) throw new Failure({ tried, got: result.error.message, next });
    const { version, healthz, keyId } = result.response;
    if (healthz !== 'ok') throw new Failure({ tried, got: `its healthz is '${healthz}'`, next });
    if (version !== 'v2' && version !== 'v2beta1')
      throw new Failure({ tried, got: `its version is '${version}'`, next });
    if (keyId === '' || Buffer.byteLength(keyId) > 1024) {
      throw new Failure({ tried, got: `its key_id has ${Buffer.byteLength(keyId)} bytes`, next });
    }
    return keyId;
  };
  return {
    keyIDOf,
    untilServed: async (keyNumbers, withinMs, signal) => {
      const deadline = performance.now() + withinMs;
      await Promise.all(
        keyNumbers.map(async (keyNumber) => {
          for (;;) {
            signal.throwIfAborted();
            try {
              await keyIDOf(keyNumber);
              return;
            } catch (error) {
              if (performance.now() > deadline) throw error;
            }
            await sleep(pollMs, undefined, { signal });
          }
        }),
      );
    },
  };
};
