import { shellQuote } from '../../common/shellQuote.ts';
import type { BoxContent, EnginePlaces } from './box.ts';

export const socketPath = (dir: string): string => `${dir}/docker.sock`;

const configurationPath = (dir: string): string => `${dir}/daemon.json`;

/** The files of a Docker Engine by their paths. @param runtime the path of the OCI runtime */
export const dockerFiles = ({ dir }: EnginePlaces, runtime: string): Readonly<Record<string, string>> => ({
  [configurationPath(dir)]: JSON.stringify({
    runtimes: { understudy: { path: runtime } },
    'default-runtime': 'understudy',
    // Nothing is ever to be pulled; a resolver would only be waited for.
    dns: ['127.0.0.1'],
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'log-driver': 'json-file',
  }),
});

/** Docker is its daemon. */
export const dockerContent = ({ dir }: EnginePlaces): BoxContent => ({
  prepare: [],
  main: [
    'dockerd',
    `--config-file ${shellQuote(configurationPath(dir))}`,
    `--data-root ${shellQuote(`${dir}/data`)}`,
    '--exec-root /run/docker --pidfile /run/docker.pid',
    `--host ${shellQuote(`unix://${socketPath(dir)}`)}`,
  ],
});
