import type { Progress } from '../common/progress.ts';
import { measureAdmission } from './nodes/admission.ts';
import { createNodesCluster, type NodesCluster } from './nodes/cluster.ts';
import { measureKubemark } from './nodes/kubemark.ts';
import { measureKwok } from './nodes/kwok.ts';
import type { Benchmark } from './run.ts';

const onCluster =
  (measure: (cluster: NodesCluster, progress: Progress) => ReturnType<Benchmark>): Benchmark =>
  async (progress) => {
    const cluster = await createNodesCluster();
    try {
      return await measure(cluster, progress);
    } finally {
      await cluster.remove();
    }
  };

/** What admission costs a pod. */
export const benchAdmission: Benchmark = measureAdmission;

/** Hollow nodes with kubelets beside upstream's kubemark. */
export const benchKubemark: Benchmark = onCluster(measureKubemark);

/** Hollow nodes of kwok beside plain kwok. */
export const benchKwok: Benchmark = onCluster(measureKwok);
