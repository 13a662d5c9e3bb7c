import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { silentProgress } from '../common/progress.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { requireAccess } from './access.ts';
import type { Stack } from './stack.ts';

/** Runs kubectl as an administrator of the stack; its exit code is ours. */
export const kubectl = async (stack: Stack, args: readonly string[]): Promise<void> => {
  await requireAccess(stack, `run kubectl on stack ${stack.name}`);
  const { kubectl: program } = await ensurePrograms(['kubectl'], silentProgress);
  const env = { ...process.env, KUBECONFIG: join(stack.clusterDir, 'kubeconfig') };
  const child = spawn(program, args, { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
};
