import { join } from 'node:path';
import { boxPid } from './box.ts';
import { rootOf } from './boxRoot.ts';
import { type ClusterPlan, planCluster, subnetOf } from './plan.ts';
import { readRecord } from './record.ts';

export interface BoxState {
  readonly name: string;
  readonly running: boolean;
}

export interface ClusterState {
  readonly plan: ClusterPlan;
  readonly subnet: string;
  readonly boxes: readonly BoxState[];
}

/** What there is of a cluster now; undefined where there is none. */
export const inspectCluster = async (dir: string): Promise<ClusterState | undefined> => {
  const record = await readRecord(dir);
  if (record === undefined) return undefined;
  const plan = planCluster(record.spec, dir, record.network);
  const boxes = await Promise.all(
    plan.nodes.map(async (node) => ({ name: node.name, running: (await boxPid(plan.id, node.name)) !== undefined })),
  );
  return { plan, subnet: subnetOf(record.network), boxes };
};

/** Where the logs of a node's components are. */
export const nodeLogsDir = (plan: ClusterPlan, node: string): string => join(rootOf(plan, node), 'var/log/understudy');
