import type { Progress } from '../common/progress.ts';
import { measureAdmission } from './nodes/admission.ts';
import { createNodesCluster } from './nodes/cluster.ts';
import { measureKubemark } from './nodes/kubemark.ts';
import { measureKwok } from './nodes/kwok.ts';

/** Hollow nodes beside upstream's kubemark and plain kwok, and what admission costs a pod. */
export const benchNodes = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const admission = await measureAdmission(progress);
  const cluster = await createNodesCluster();
  try {
    const kubemark = await measureKubemark(cluster, progress);
    return { kubemark, kwok: await measureKwok(cluster, progress), admission };
  } finally {
    await cluster.remove();
  }
};
