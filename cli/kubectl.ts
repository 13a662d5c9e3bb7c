import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { silentProgress } from '../common/progress.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { requireKubeconfigFile } from './kubeconfig.ts';
import type { Stack } from './stack.ts';

/** Runs kubectl as an administrator of the stack; its exit code is ours. */
export const kubectl = async (stack: Stack, args: readonly string[]): Promise<void> => {
  const kubeconfig = await requireKubeconfigFile(stack, `run kubectl on stack ${stack.name}`);
  const { kubectl: program } = await ensurePrograms(['kubectl'], silentProgress);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const child = spawn(program, args, { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
};
