import { createServer, type Server, type ServerResponse } from 'node:http';

/** A pod as far as the discovery of targets looks at it. */
export interface TestPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly phase: 'Running' | 'Succeeded';
  /** Of one container, by name. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  close(): void;
}

export const serveLocally = (server: Server): Promise<TestServer> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      const close = (): void => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ url: `http://127.0.0.1:${port}`, port, close });
    });
  });

const podObject = ({ namespace, name, node, phase, ports }: TestPod) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, uid: name, resourceVersion: '1' },
  spec: {
    nodeName: node,
    containers: [
      { name: 'main', ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })) },
    ],
  },
  status: { phase, podIP: '127.0.0.1', hostIP: '127.0.0.1' },
});

const initialEventsEnd = {
  type: 'BOOKMARK',
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
};

const watch = (response: ServerResponse, pods: readonly unknown[]): void => {
  for (const object of pods) response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  response.write(`${JSON.stringify(initialEventsEnd)}\n`);
};

/** As much of an API server as lets Prometheus find these pods, which stay as they are: list, watch, and the watch that lists first. */
export const servePods = (pods: readonly TestPod[]): Promise<TestServer> =>
  serveLocally(
    createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const namespace = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(url.pathname)?.[1];
      if (namespace === undefined) {
        response.writeHead(404).end();
        return;
      }
      const items = pods.filter((pod) => pod.namespace === namespace).map(podObject);
      response.writeHead(200, { 'content-type': 'application/json' });
      if (!url.searchParams.has('watch')) {
        response.end(JSON.stringify({ apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '1' }, items }));
      } else if (url.searchParams.has('sendInitialEvents')) {
        watch(response, items);
      } else {
        response.flushHeaders();
      }
    }),
  );
