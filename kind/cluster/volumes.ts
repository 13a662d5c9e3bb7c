import { z } from 'zod';
import { exec, tryExec } from '../../common/exec.ts';
import { kindNameOf } from './configuration.ts';
import type { EngineName } from './engine.ts';

const listed = z.array(z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullable() }));

/** Of the volumes that `podman volume ls --format json` lists, those of the nodes of a kind cluster. @throws where it is no such list */
export const volumesOf = (json: string, stack: string): readonly string[] => {
  const node = new RegExp(`^${kindNameOf(stack)}-(control-plane|worker)\\d*$`);
  return listed
    .parse(JSON.parse(json))
    .filter(({ Labels }) => Object.keys(Labels ?? {}).some((label) => node.test(label)))
    .map(({ Name }) => Name);
};

/**
 * Removes what Podman does not remove with a node: kind makes the volume of its /var by a command of its own, labelled with
 * the node's name (`pkg/cluster/internal/providers/podman/provision.go`). One in use stays.
 */
export const removeVolumes = async (engine: EngineName, stack: string): Promise<void> => {
  if (engine !== 'podman') return;
  const names = volumesOf(await exec(engine, ['volume', 'ls', '--format', 'json']), stack);
  if (names.length > 0) await tryExec(engine, ['volume', 'rm', ...names]);
};
