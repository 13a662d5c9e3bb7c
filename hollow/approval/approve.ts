import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { timestampText } from '../../common/timestamp.ts';
import { judgeRequest, type NodePod, type SigningRequest } from './request.ts';

const collection = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export const signingRequests = collection;

const decisions = {
  approve: { type: 'Approved', reason: 'HollowNode', message: 'the pod asks for the certificate of its own node' },
  deny: { type: 'Denied', reason: 'HollowNode' },
} as const;

/** Approves or denies the requests of pods that simulate nodes. @throws what the API server says */
export const answerRequests = async (
  client: KubeClient,
  log: Log,
  requests: readonly SigningRequest[],
  pods: readonly NodePod[],
  groups: readonly string[],
): Promise<void> => {
  const answer = async (request: SigningRequest): Promise<void> => {
    const judgement = judgeRequest(request, pods, groups);
    if (judgement.verdict === 'none') return;
    const { name } = request.metadata;
    if (judgement.verdict === 'deny') log.warn({ request: name, why: judgement.why }, 'refused a certificate');
    const condition = {
      ...decisions[judgement.verdict],
      ...(judgement.verdict === 'deny' && { message: judgement.why }),
      status: 'True',
      lastUpdateTime: timestampText(Date.now()),
    };
    const body = { ...request, status: { ...request.status, conditions: [condition] } };
    await client
      .send({ method: 'PUT', path: `${collection}/${name}/approval`, body })
      // It has been answered already, or is gone: the watch is behind.
      .catch((error: unknown) => {
        if (!isApiError(error, 409) && !isApiError(error, 404)) throw error;
      });
  };
  await Promise.all(requests.map(answer));
};
