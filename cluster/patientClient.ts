import { waitFor } from '../common/waitFor.ts';
import type { ApiClient } from './apiClient.ts';

/** A handover on two busy cores that three control planes shared took 20 s. */
const patienceMs = 30_000;

/**
 * An API server asked again where it does not answer: while one hands over to the next, new connections to its node wait.
 * For requests that may be done twice, since an answer can be lost.
 * @param withinMs how long it asks
 */
export const patientClient = (api: ApiClient, withinMs = patienceMs): ApiClient => ({
  ask: (method, path, ...rest) =>
    waitFor(() => api.ask(method, path, ...rest), {
      what: `an answer to ${method} ${path}`,
      timeoutMs: withinMs,
      next: "'understudy status' and 'understudy logs kube-apiserver' tell why",
    }),
  close: api.close,
});
