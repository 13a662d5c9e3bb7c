import { reportingNode } from '../../common/kmsHealth.ts';
import type { ApiObject } from '../../common/watchList.ts';

interface OperatorObject extends ApiObject {
  readonly spec?: unknown;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string }[];
    readonly encryptionStatus?: { readonly healthReports?: unknown };
  };
}

/** What of an operator's object the encryption controllers look at, as a text: health is reported every few seconds, and is none of it. */
export const relevantText = ({
  spec,
  status: { conditions = [], encryptionStatus, ...status } = {},
}: OperatorObject): string =>
  JSON.stringify({
    spec,
    status,
    conditions: conditions.filter(({ type }) => reportingNode(type) === undefined),
    encryptionStatus: { ...encryptionStatus, healthReports: undefined },
  });
