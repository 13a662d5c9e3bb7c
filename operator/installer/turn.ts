import { messageOf } from '../../common/failure.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { leaseAt } from '../lease.ts';
import { withAny } from './anyApiServer.ts';

/**
 * Whose turn it is to hand kube-apiserver over. New connections to a node wait while it does, so one node after the other
 * does, as on OpenShift. It is a courtesy: nothing is lost where two nodes do it at once.
 */
export interface Turn {
  /** Whether it is this node's, from now on until it ends it, or half a minute is over. */
  begins(): Promise<boolean>;
  /** Lets the next node have it. */
  end(): Promise<void>;
}

/** Longer than a handover takes on a busy machine; a node that dies in its turn keeps the others waiting for that long. */
const durationSeconds = 30;

export const turnOf = (node: string, clients: readonly KubeClient[], log: Log): Turn => {
  const place = { namespace: 'openshift-kube-apiserver', name: 'installer-turn' };
  const lease = leaseAt({ send: (request) => withAny(clients, (client) => client.send(request)) }, place, {
    identity: node,
    durationSeconds,
  });
  return {
    begins: async () => {
      try {
        return await lease.acquire();
      } catch (error) {
        if (isApiError(error, 409)) return false;
        log.warn({ reason: messageOf(error) }, 'could not ask whose turn it is; going ahead');
        return true;
      }
    },
    end: async () => {
      await lease.release().catch((error: unknown) => {
        log.warn({ reason: messageOf(error) }, 'could not end the turn; it runs out');
      });
    },
  };
};
