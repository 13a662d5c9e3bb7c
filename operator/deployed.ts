import { configData } from './names.ts';
import type { ApiServerObservation, Observation, Secret } from './observation.ts';
import { sha256 } from './sha256.ts';

export type Deployed =
  | { readonly converged: false; readonly problem: string }
  | {
      readonly converged: true;
      /** What every API server has loaded; undefined before the first configuration, or where it was deleted. */
      readonly secret: Secret | undefined;
    };

/** Lower-case hex sha256 of the file that a config secret brings to the nodes. */
export const configHashOf = (secret: Secret): string | undefined => {
  const content = secret.data?.[configData.encryptionConfig];
  if (content === undefined) return undefined;
  return sha256(Buffer.from(content, 'base64'));
};

const silentNodes = ({ controlPlane, apiServers }: Observation): readonly string[] =>
  controlPlane.filter((node) => !apiServers.some((server) => server.node === node && server.failure === undefined));

const lagging = (servers: readonly ApiServerObservation[], hash: string | undefined): readonly string[] =>
  servers.filter((server) => server.configHash !== hash).map(({ node }) => node);

/**
 * The configuration that every API server of every control-plane node has loaded by its own word. The copy that the installers read
 * is asked first; where all have the source's content instead, nobody has rolled out the copy, and it is put right from the source.
 */
export const deployedConfig = (observation: Observation): Deployed => {
  const { controlPlane, apiServers, configSecret, configCopy } = observation;
  const silent = silentNodes(observation);
  if (controlPlane.length === 0) return { converged: false, problem: 'no control-plane node' };
  if (silent.length > 0) return { converged: false, problem: `no answer from the API server of ${silent.join(', ')}` };
  const failed = apiServers.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) return { converged: false, problem: `API server of ${failed.node}: ${failed.failure}` };
  const candidates = [configCopy, configSecret].filter((secret) => secret !== undefined);
  const [newest] = candidates;
  if (newest === undefined) return { converged: true, secret: undefined };
  const loaded = candidates.find((secret) => {
    const hash = configHashOf(secret);
    return hash !== undefined && lagging(apiServers, hash).length === 0;
  });
  if (loaded !== undefined) return { converged: true, secret: loaded };
  const late = lagging(apiServers, configHashOf(newest));
  return {
    converged: false,
    problem: `the newest configuration is not loaded by the API server of ${late.join(', ')}`,
  };
};

/** Whether there is one API server only, and so nobody else who reads what it writes. */
export const isAlone = ({ controlPlane, apiServers }: Observation): boolean =>
  controlPlane.length === 1 && apiServers.length === 1;
