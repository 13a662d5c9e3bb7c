import { newKeystore } from '../../cluster/keystore.ts';
import { checkCloud } from '../cloud/check.ts';
import { loadStack } from '../stack.ts';

/** Prints what the cluster is, as JSON, if it is one for the stack. */
export const printChecked = async (name: string): Promise<void> => {
  process.stdout.write(JSON.stringify(await checkCloud(await loadStack(name))));
};

/** Prints a keystore for the plugins of a cluster. */
export const printKeystore = async (): Promise<void> => {
  process.stdout.write(newKeystore());
};
