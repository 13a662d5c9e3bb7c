import { Agent, request } from 'node:https';
import type { Credential } from '../common/certificates.ts';
import { Failure } from '../common/failure.ts';

export interface ApiResponse {
  readonly status: number;
  readonly body: string;
}

/** Asks one HTTPS server with a client certificate. */
export interface ApiClient {
  /** @throws the socket's error where there is no answer within 5 s; any HTTP status is an answer. */
  ask(method: string, path: string, body?: object, contentType?: string): Promise<ApiResponse>;
  close(): void;
}

const answerWithinMs = 5_000;

export const apiClient = (host: string, port: number, authorityCertificate: string, user: Credential): ApiClient => {
  const agent = new Agent({ keepAlive: true, ca: authorityCertificate, cert: user.certificate, key: user.key });
  return {
    ask: (method, path, body, contentType = 'application/json') =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': contentType };
        const call = request({ host, port, method, path, agent, headers, timeout: answerWithinMs }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
        });
        call.on('timeout', () => call.destroy(new Error(`no answer from ${host}:${port} within ${answerWithinMs} ms`)));
        call.on('error', reject);
        call.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
};

/** @throws Failure on any status but 2xx and those that are `allowed`. */
export const expectOk = (response: ApiResponse, tried: string, allowed: readonly number[] = []): ApiResponse => {
  if ((response.status >= 200 && response.status < 300) || allowed.includes(response.status)) return response;
  throw new Failure({
    tried,
    got: `${response.status} ${response.body}`,
    next: "see 'understudy logs kube-apiserver'",
  });
};
