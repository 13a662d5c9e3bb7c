import { ensureNodeImage } from '../kind/nodeImage/build.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';

/** Makes the node image of kind be there; its name and the archive that `docker load` takes. */
export const nodeImage = async (options: OutputOptions): Promise<void> => {
  const begin = performance.now();
  const image = await ensureNodeImage(progressFor(options));
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const how = image.cached ? 'is there' : `was made in ${seconds.toFixed(1)} s`;
  printResult(options, { ...image, seconds }, `${image.reference} ${how}:\n  docker load -i ${image.archive}`);
};
