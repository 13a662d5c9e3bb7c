import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../common/failure.ts';
import type { ApiAnswer, ApiClient, ApiRequest } from './apiClient.ts';

/** Milliseconds. */
export const patience = {
  /** An API server that restarts, where it is the only one, is away for as long as its node needs for that. */
  away: 180_000,
  /** One that is just there may not know our permissions yet, nor its KMS plugin; later on it means what it says. */
  refused: 30_000,
} as const;

/**
 * How long to go on sending a request that was answered like this; undefined where the answer stands.
 * @param status HTTP status, undefined for none
 */
export const patienceWith = (status: number | undefined): number | undefined => {
  if (status === undefined || status === 429 || status === 503 || status === 504) return patience.away;
  if (status === 401 || status === 403 || status >= 500) return patience.refused;
  return undefined;
};

const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** What the server asks for, else longer each time. */
export const pauseMs = (attempt: number, retryAfterSeconds: number | undefined): number =>
  retryAfterSeconds === undefined
    ? Math.min(firstPauseMs * 2 ** attempt, longestPauseMs)
    : Math.max(retryAfterSeconds * 1000, firstPauseMs);

/** What a Status of the API server says, or the beginning of whatever else came. */
export const statusMessage = ({ status, body }: ApiAnswer): string => {
  try {
    const { message }: { readonly message?: unknown } = JSON.parse(body);
    if (typeof message === 'string' && message !== '') return message;
  } catch {
    // Not JSON: its text then.
  }
  return `HTTP status ${status} ${body.slice(0, 200)}`.trim();
};

const sendOnce = async (client: ApiClient, request: ApiRequest): Promise<ApiAnswer | Error> => {
  try {
    return await client.send(request);
  } catch (thrown) {
    return new Error(messageOf(thrown), { cause: thrown });
  }
};

/**
 * Sends a request until the answer stands, as {@link patienceWith} says.
 * @returns any answer that stands, also one that is no success
 * @throws what `signal` was aborted with; an Error with the last refusal where patience ends
 */
export const sendPatiently = async (
  client: ApiClient,
  request: ApiRequest,
  signal: AbortSignal,
): Promise<ApiAnswer> => {
  const begin = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    const answer = await sendOnce(client, request);
    signal.throwIfAborted();
    const [status, retryAfter] =
      answer instanceof Error ? [undefined, undefined] : [answer.status, answer.retryAfterSeconds];
    const limit = patienceWith(status);
    if (limit === undefined && !(answer instanceof Error)) return answer;
    if (performance.now() - begin > (limit ?? 0)) {
      throw answer instanceof Error
        ? new Error(`the API server does not answer: ${answer.message}`, { cause: answer })
        : new Error(statusMessage(answer));
    }
    await sleep(pauseMs(attempt, retryAfter), undefined, { signal });
  }
};
