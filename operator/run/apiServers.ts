import { messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { ApiServerObservation } from '../observation.ts';
import { type ApiServerMetrics, metricsLines, parseApiServerMetrics } from './apiServerMetrics.ts';

/** Asks the API server of one node what it works with. */
export interface ApiServerProbe {
  /**
   * An entry for each process that answers: two while they take turns.
   * @param poke has it ask its KMS plugins now, not at its next turn in up to a minute.
   */
  observe(poke: boolean): Promise<readonly ApiServerObservation[]>;
  close(): void;
}

/** Two processes share the port: so many connections meet both, or fail to once in four thousand times. */
const enoughConnections = 12;
/** What a known process says of itself is believed for so long: asking takes it 40 ms of CPU time. */
const believedMs = 1_000;

interface Met extends ApiServerMetrics {
  readonly session: Buffer | undefined;
  readonly askedAt: number;
}

const without = (node: string, failure: string): ApiServerObservation => ({
  node,
  configHash: undefined,
  keyIDHashes: {},
  failure,
});

export const probeApiServer = (node: string, client: KubeClient): ApiServerProbe => {
  /** The one process that answers, where there was no other at the last search. */
  let alone: Met | undefined;

  /** Who takes a new connection; undefined where it is `known`, of whom enough is known. */
  const meet = async (known: Met | undefined, poke: boolean): Promise<Met | undefined> => {
    const connection = await client.connect(known?.session);
    try {
      if (poke) await connection.ask('/healthz/kms-providers');
      const isKnown = known !== undefined && connection.sessionReused;
      if (isKnown && !poke && performance.now() - known.askedAt < believedMs) return undefined;
      const { status, body } = await connection.ask('/metrics', metricsLines);
      if (status !== 200) throw new Error(`/metrics says ${status}`);
      const session = connection.session() ?? (isKnown ? known.session : undefined);
      return { ...parseApiServerMetrics(body), session, askedAt: performance.now() };
    } finally {
      connection.close();
    }
  };

  const search = async (first: Met): Promise<readonly Met[]> => {
    const found = new Map([[first.startedAt, first]]);
    let last = first;
    for (let i = 1; i < enoughConnections; i++) {
      const met = await meet(last, false);
      if (met === undefined) continue;
      found.set(met.startedAt, met);
      last = met;
    }
    return [...found.values()];
  };

  const processes = async (poke: boolean): Promise<readonly Met[]> => {
    const met = await meet(alone, poke);
    if (met === undefined && alone !== undefined) return [alone];
    if (met === undefined) return [];
    if (met.startedAt === alone?.startedAt) {
      alone = met;
      return [met];
    }
    const found = await search(met);
    alone = found.length === 1 ? met : undefined;
    return found;
  };

  return {
    observe: async (poke) => {
      try {
        const found = await processes(poke);
        return found.map(({ configHash, keyIDHashes }) => ({ node, configHash, keyIDHashes }));
      } catch (error) {
        alone = undefined;
        return [without(node, messageOf(error))];
      }
    },
    close: client.close,
  };
};
