import { stringify } from 'yaml';
import { engineLabel } from '../../common/hollowNodes.ts';

/**
 * kwok's configuration file: which nodes are its own, and the stages that it takes them and their pods through.
 * @param stages YAML documents
 * @see https://kwok.sigs.k8s.io/docs/user/configuration/
 */
export const kwokConfiguration = (stages: readonly string[]): string =>
  [
    stringify({
      apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
      kind: 'KwokConfiguration',
      options: {
        manageAllNodes: false,
        manageNodesWithLabelSelector: `${engineLabel}=kwok`,
        // It renews a lease after a quarter of that: of 40 s, a kubelet's, 5,000 nodes made 500 writes a second. A node is given up
        // after 50 s without one (--node-monitor-grace-period).
        nodeLeaseDurationSeconds: 120,
        // Its four at a time leave the API server idle between two answers.
        nodePlayStageParallelism: 32,
        // Its default for the command line. Of 32 at a time many were played twice on a busy machine, in vain the second time.
        podPlayStageParallelism: 4,
        // Leases of 5,000 nodes made by 32 at a time come later than the nodes are given up.
        nodeLeaseParallelism: 128,
        podsOnNodeSyncParallelism: 32,
        // A node has few pods: pages would pass the API server's cache by.
        enablePodsOnNodeSyncListPager: false,
        // For benchmarks of networks (RFC 2544): nobody is there.
        cidr: '198.18.0.0/15',
      },
    }),
    ...stages,
  ]
    .map((document) => document.trim())
    .join('\n---\n');
