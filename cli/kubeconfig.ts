import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isCloud } from '../infra/cloudSettings.ts';
import { requireKubeconfig } from './access.ts';
import type { Stack } from './stack.ts';

/** The file that holds an administrator's kubeconfig. @throws as {@link requireKubeconfig} */
export const requireKubeconfigFile = async (stack: Stack, tried: string): Promise<string> => {
  const kubeconfig = await requireKubeconfig(stack, tried);
  return isCloud(stack.settings.platform) ? kubeconfig : join(stack.clusterDir, 'kubeconfig');
};

/** Prints an administrator's kubeconfig, or the path of the file that holds it. */
export const kubeconfig = async (stack: Stack, options: { readonly path?: boolean }): Promise<void> => {
  const path = await requireKubeconfigFile(stack, `give the kubeconfig of stack ${stack.name}`);
  process.stdout.write(options.path === true ? `${path}\n` : await readFile(path, 'utf8'));
};
