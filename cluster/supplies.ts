import type { Progress } from '../common/progress.ts';
import { buildBinaryImage } from '../image/build.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { boxPrograms } from './boxRoot.ts';
import { importIntoBox } from './importIntoBox.ts';
import type { ClusterSupplies } from './start.ts';

/** Gets together what boxes are made of: third-party programs and the sandbox image. */
export const gatherSupplies = async (progress: Progress): Promise<ClusterSupplies> => {
  const { pause, ...programs } = await ensurePrograms([...boxPrograms, 'pause'], progress);
  const image = await buildBinaryImage({ name: 'understudy.local/pause', binaryPath: pause }, progress);
  return {
    programs,
    pauseImage: { reference: image.reference, import: (boxPid) => importIntoBox(programs.ctr, boxPid, image) },
  };
};
