import { Agent, type AgentOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterAccess } from '../../../cluster/access.ts';

/** Requests that are going on, each tried once. */
export interface SingleTries {
  /** How many ended how so far: by HTTP status, or by the code of the socket's error. */
  readonly outcomes: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const betweenMs = 2;

/** One GET, never tried again: what a client meets that gives up at once. */
const tryOnce = (access: ClusterAccess, path: string, agent: Agent): Promise<string> =>
  new Promise((resolve) => {
    const fail = (error: Error): void => {
      resolve('code' in error ? String(error.code) : error.message);
    };
    const { host, port } = access.api;
    request({ host, port, path, agent }, (response) => {
      response.on('error', fail).on('end', () => resolve(String(response.statusCode)));
      response.resume();
    })
      .on('error', fail)
      .end();
  });

/** Asks the API server without a pause, as administrator: by a new connection each time, and by one that is kept. */
export const startSingleTries = (access: ClusterAccess, path: string): SingleTries => {
  const outcomes = new Map<string, number>();
  const { certificate: cert, key } = access.administrator;
  const options: AgentOptions = { ca: access.authorityCertificate, cert, key, maxCachedSessions: 0 };
  const agents = [new Agent(options), new Agent({ ...options, keepAlive: true, maxSockets: 1 })];
  let going = true;
  const asking = agents.map(async (agent) => {
    while (going) {
      const outcome = await tryOnce(access, path, agent);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await sleep(betweenMs);
    }
    agent.destroy();
  });
  return {
    outcomes,
    stop: async () => {
      going = false;
      await Promise.all(asking);
    },
  };
};
