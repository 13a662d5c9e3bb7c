import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type ApiClient, apiClient } from '../../cluster/apiClient.ts';
import type { VerifySubject } from '../../cluster/verify.ts';
import { Failure } from '../../common/failure.ts';
import { silentProgress } from '../../common/progress.ts';
import { ApiError, type ApiRequest, type KubeClient } from '../../providers/kubernetes/client.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import type { Stack } from '../stack.ts';
import { withCloud } from './connection.ts';

const answerWithinMs = 10_000;
const forwardedWithinMs = 20_000;

/** OpenShift's kube-apiserver has `--etcd-prefix=kubernetes.io`. */
const etcdPrefix = '/kubernetes.io';

const methods: Readonly<Record<string, ApiRequest['method']>> = { GET: 'GET', POST: 'POST', DELETE: 'DELETE' };

/** Asks by the user's kubeconfig, whatever its credentials are. */
const asApiClient = (client: KubeClient): ApiClient => ({
  ask: async (method, path, body) => {
    try {
      const signal = AbortSignal.timeout(answerWithinMs);
      const answer = await client.send({ method: methods[method] ?? 'GET', path, body, signal });
      return { status: 200, body: JSON.stringify(answer.body) };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.code, body: error.message };
      throw error;
    }
  },
  close: () => {},
});

const authority = z.object({ data: z.object({ 'ca-bundle.crt': z.string() }) });
const decoded = z.string().transform((text) => Buffer.from(text, 'base64').toString());
const certificate = z.object({ data: z.object({ 'tls.crt': decoded, 'tls.key': decoded }) });

/** Of etcd, as OpenShift publishes them in `openshift-config`. */
const readCertificates = async (client: KubeClient) => {
  const read = async <T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T>> => {
    const signal = AbortSignal.timeout(answerWithinMs);
    return shape.parse((await client.send({ method: 'GET', path, signal })).body);
  };
  const namespace = '/api/v1/namespaces/openshift-config';
  const [{ data: ca }, { data: user }] = await Promise.all([
    read(`${namespace}/configmaps/etcd-ca-bundle`, authority),
    read(`${namespace}/secrets/etcd-client`, certificate),
  ]);
  return { authority: ca['ca-bundle.crt'], user: { certificate: user['tls.crt'], key: user['tls.key'] } };
};

const forwarding = /Forwarding from 127\.0\.0\.1:(\d+)/;

/** Lets `work` reach etcd at a port of this machine's loopback, as OpenShift's own suite does. */
const withEtcdPort = async <T>(kubeconfig: string, tried: string, work: (port: number) => Promise<T>): Promise<T> => {
  const { kubectl } = await ensurePrograms(['kubectl'], silentProgress);
  const args = ['--kubeconfig', kubeconfig, 'port-forward', '--namespace', 'openshift-etcd', 'service/etcd', ':2379'];
  const child = spawn(kubectl, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  try {
    const signal = AbortSignal.timeout(forwardedWithinMs);
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, 'line', { signal }), ended.then(() => [''])])) as [string];
    const port = Number(forwarding.exec(line)?.[1]);
    if (Number.isNaN(port)) throw new Error(said.join('').trim() || `kubectl port-forward said '${line}'`);
    return await work(port);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const got = said.join('').trim() || String(error);
    throw new Failure({ tried, got, next: "check 'oc get pods -n openshift-etcd'", cause: error });
  } finally {
    child.kill();
    await ended;
  }
};

/** Lets `work` look at a cluster that is not the stack's own. @throws Failure where its etcd cannot be reached */
export const withCloudSubject = <T>(
  stack: Stack,
  tried: string,
  work: (subject: VerifySubject, etcdPrefix: string) => Promise<T>,
): Promise<T> =>
  withCloud(stack, tried, async (client, kubeconfig) => {
    const { authority, user } = await readCertificates(client);
    return withEtcdPort(kubeconfig, tried, async (port) => {
      const etcd = apiClient('127.0.0.1', port, authority, user);
      try {
        return await work({ api: asApiClient(client), apiServers: [], etcd }, etcdPrefix);
      } finally {
        etcd.close();
      }
    });
  });
