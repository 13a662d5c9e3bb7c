import { createHash } from 'node:crypto';
import { timestampText } from '../../common/timestamp.ts';

/** An entry of `status.nodeStatuses` of `kubeapiservers.operator.openshift.io/cluster`. */
export interface NodeStatus {
  readonly nodeName: string;
  /** How many configurations this node has taken. */
  readonly currentRevision?: number;
  readonly lastFailedRevision?: number;
  readonly lastFailedCount?: number;
  readonly lastFailedReason?: string;
  /** RFC 3339, whole seconds. */
  readonly lastFailedTime?: string;
  readonly lastFailedRevisionErrors?: readonly string[];
}

/** `InstallerFailed`: nothing was started. `OperandFailed`: the new API server did not work. As in OpenShift. */
export type FailureReason = 'InstallerFailed' | 'OperandFailed';

export type Outcome =
  | { readonly kind: 'taken' }
  /** It had been taken before. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly message: string; readonly now: Date };

/**
 * The entry after an outcome. The CRD refuses a currentRevision in a new entry, and any that is less than before; it allows a
 * targetRevision in one entry only, so nodes that work at the same time have none.
 * @param before undefined where the node has no entry yet: the result is to be applied once more then, on top of itself.
 */
export const nextNodeStatus = (nodeName: string, before: NodeStatus | undefined, outcome: Outcome): NodeStatus => {
  if (before === undefined) return { nodeName };
  const revision = before.currentRevision ?? 0;
  const current = before.currentRevision === undefined ? {} : { currentRevision: revision };
  switch (outcome.kind) {
    case 'taken':
      return { nodeName, currentRevision: revision + 1 };
    case 'kept':
      return { nodeName, ...current };
    case 'failed': {
      const failing = revision + 1;
      const count = before.lastFailedRevision === failing ? (before.lastFailedCount ?? 0) : 0;
      return {
        nodeName,
        ...current,
        lastFailedRevision: failing,
        lastFailedCount: count + 1,
        lastFailedReason: outcome.reason,
        lastFailedTime: timestampText(outcome.now),
        lastFailedRevisionErrors: [outcome.message],
      };
    }
  }
};

/** Node names may be longer than the 128 characters of a field manager. */
export const fieldManagerOf = (node: string): string =>
  `installer-${createHash('sha256').update(node).digest('hex').slice(0, 32)}`;
