import { degraded, degradedType, isFalse, isTrue, progressingType } from '../conditions.ts';
import { resolveKms } from '../kmsProvider.ts';
import type { Observation } from '../observation.ts';
import { type Controller, type Outcome, soonMs } from './controller.ts';

const name = 'EncryptionKMSPreflight';

const problemOn = ({ plugins }: Observation, node: string): string | undefined => {
  const plugin = plugins.find((one) => one.node === node);
  if (plugin?.ready === true) return undefined;
  return `plugin on node ${node} is not ready: ${plugin?.cause ?? 'no plugin runs there'}`;
};

/** Why a key could not be used on every control-plane node now; undefined where it could. */
export const preflightProblem = (observation: Observation): string | undefined => {
  const problems = observation.controlPlane
    .map((node) => problemOn(observation, node))
    .filter((text) => text !== undefined);
  return problems.length === 0 ? undefined : problems.join('; ');
};

/** The key_id that a plugin answered with: of the plain plugin, key 0, or of the newest key. */
const remoteKeyIdOf = ({ backend, controlPlane }: Observation): string => {
  const served = controlPlane.flatMap((node) => Object.entries(backend?.status?.nodes?.[node]?.keys ?? {}));
  const newest = served.toSorted(([one], [other]) => Number(other) - Number(one));
  const [, key] = newest.find(([number]) => number === '0') ?? newest[0] ?? [];
  return key?.keyID || 'not-reported';
};

const quiet: Outcome = { actions: [], conditions: [isFalse(degradedType(name)), isFalse(progressingType(name))] };

const failing = (hash: string, problem: string): Outcome => ({
  actions: [],
  conditions: [
    degraded(name, `preflight check failed for hash ${hash}: ${problem}`, 'PreflightCheckFailed'),
    isTrue(progressingType(name), 'RunningPreflightCheck', `Waiting for the plugins to pass the check of hash ${hash}`),
  ],
  recheckAfterMs: soonMs,
});

/**
 * Passes a KMS configuration once the plugin is ready on every control-plane node. It goes on trying: unlike OpenShift's, a result
 * `Failed` is never final, so nothing has to be changed to get out of it.
 */
export const preflightController: Controller = {
  name,
  resting: [isFalse(degradedType(name)), isFalse(progressingType(name))],
  failed: (message) => [degraded(name, message), isFalse(progressingType(name))],
  decide: ({ observation }) => {
    const { encryption, operator, referencedSecrets, referencedConfigMaps } = observation;
    const hash = operator?.preflight?.observedConfigHash ?? '';
    if (encryption?.type !== 'KMS' || hash === '') return quiet;
    const current = resolveKms(encryption.kms, referencedSecrets, referencedConfigMaps);
    const result = operator?.preflight?.result;
    if (current.hash !== hash) return quiet;
    if (result?.configHash === hash && result.status === 'Succeeded') return quiet;
    const problem = preflightProblem(observation);
    if (problem !== undefined) return failing(hash, problem);
    const passed = { status: 'Succeeded', configHash: hash, remoteKeyID: remoteKeyIdOf(observation) } as const;
    const preflight = { observedConfigHash: hash, result: passed };
    return { ...quiet, actions: [{ controller: name, kind: 'writePreflight', preflight }] };
  },
};
