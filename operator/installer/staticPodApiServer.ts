import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import type { ApiServerProcess } from './apiServerProcess.ts';
import { askServing } from './serving.ts';

export interface StaticPodApiServerOptions {
  /** At an address of this node. */
  readonly client: KubeClient;
  /** How long it may take until the new file is loaded, milliseconds: it looks at the file each minute. */
  readonly loadedWithinMs: number;
  /** From one look at it to the next, milliseconds. */
  readonly pollMs: number;
  readonly log: Log;
}

const name = 'kube-apiserver';

/**
 * kube-apiserver as a static pod of the kubelet, which starts it again whenever it ends. It is never restarted for a new
 * file: it loads that by itself (`--encryption-provider-config-automatic-reload`), once its plugins answer, and keeps the
 * old one where they do not.
 */
export const staticPodApiServer = (options: StaticPodApiServerOptions): ApiServerProcess => {
  const { client, log } = options;
  return {
    instances: async () => {
      try {
        const serving = await askServing(client);
        serving?.close();
        return [{ name, since: serving?.startedAt ?? 0, loaded: serving?.configHash ?? '' }];
      } catch (error) {
        log.debug({ reason: messageOf(error) }, 'no answer');
        return [{ name, since: 0, loaded: undefined }];
      }
    },
    start: async () => {},
    end: async () => {},
    // The file of before is in its place again: the kubelet's next try finds it.
    restart: async () => log.info('the kubelet starts kube-apiserver again'),
    handOver: async (hash, signal) => {
      const begin = performance.now();
      let said = 'it does not answer';
      for (;;) {
        signal.throwIfAborted();
        try {
          const serving = await askServing(client);
          const readiness = await serving?.readiness();
          serving?.close();
          if (serving?.configHash === hash && readiness?.ready === true) break;
          said =
            serving?.configHash === hash
              ? `it is not ready (${readiness?.failed.join(', ')})`
              : 'it serves on with the old one';
        } catch (error) {
          said = messageOf(error);
        }
        if (performance.now() - begin > options.loadedWithinMs) {
          throw new Failure({
            tried: 'have kube-apiserver load the new encryption configuration',
            got: `${said} after ${options.loadedWithinMs / 1000} s`,
            next: 'see its log; the old configuration is put back',
          });
        }
        await sleep(options.pollMs, undefined, { signal });
      }
      log.info({ afterMs: Math.round(performance.now() - begin) }, 'kube-apiserver has loaded the configuration');
    },
  };
};
