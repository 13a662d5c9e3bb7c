import { removeHollowNodes } from '../removeHollowNodes.ts';
import { progress } from './progress.ts';

export const removeHollow = (name: string): Promise<void> => removeHollowNodes(name, progress);
