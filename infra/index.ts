import { program } from './program.ts';

export const { kubeconfig } = await program();
