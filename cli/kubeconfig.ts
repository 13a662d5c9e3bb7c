import { join } from 'node:path';
import { requireAccess } from './access.ts';
import type { Stack } from './stack.ts';

/** Prints an administrator's kubeconfig, or the path of the file that holds it (0600). */
export const kubeconfig = async (stack: Stack, options: { readonly path?: boolean }): Promise<void> => {
  const access = await requireAccess(stack, `give the kubeconfig of stack ${stack.name}`);
  process.stdout.write(options.path === true ? `${join(stack.clusterDir, 'kubeconfig')}\n` : access.kubeconfig);
};
