import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderTurn } from './staticPodManifest.ts';

/** What matters of kubeadm's. */
const manifest = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 172.18.0.2:6443
  labels: {component: kube-apiserver, tier: control-plane}
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=172.18.0.2
    - --permit-port-sharing=true
    - --secure-port=6443
    image: registry.k8s.io/kube-apiserver:v1.36.3
    livenessProbe:
      httpGet: {host: 172.18.0.2, path: /livez, port: probe-port, scheme: HTTPS}
      periodSeconds: 10
    name: kube-apiserver
    ports:
    - {containerPort: 6443, name: probe-port, protocol: TCP}
    startupProbe:
      httpGet: {host: 172.18.0.2, path: /livez, port: 6443, scheme: HTTPS}
  hostNetwork: true
status: {}
`;

it('makes the second of the first: at the address of the node, claiming no port, told from every other start', () => {
  expect(parse(renderTurn(manifest, 'kube-apiserver-b', 'r1'))).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      annotations: {
        'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': '172.18.0.2:6443',
        'understudy.dev/revision': 'r1',
      },
      labels: { component: 'kube-apiserver', tier: 'control-plane' },
      name: 'kube-apiserver-b',
      namespace: 'kube-system',
    },
    spec: {
      containers: [
        {
          command: [
            'kube-apiserver',
            '--advertise-address=172.18.0.2',
            '--permit-port-sharing=true',
            '--secure-port=6443',
            '--bind-address=172.18.0.2',
          ],
          image: 'registry.k8s.io/kube-apiserver:v1.36.3',
          livenessProbe: {
            httpGet: { host: '172.18.0.2', path: '/livez', port: 6443, scheme: 'HTTPS' },
            periodSeconds: 10,
          },
          name: 'kube-apiserver',
          startupProbe: { httpGet: { host: '172.18.0.2', path: '/livez', port: 6443, scheme: 'HTTPS' } },
          terminationMessagePolicy: 'FallbackToLogsOnError',
        },
      ],
      hostNetwork: true,
      terminationGracePeriodSeconds: 2,
    },
    status: {},
  });
});

it('makes the first of the second again, at every address', () => {
  const back = renderTurn(renderTurn(manifest, 'kube-apiserver-b', 'r1'), 'kube-apiserver', 'r2');
  expect(parse(back)).toMatchObject({
    metadata: { name: 'kube-apiserver', annotations: { 'understudy.dev/revision': 'r2' } },
  });
  expect(back).not.toContain('--bind-address');
});

it('refuses a kube-apiserver that would not share its port, with the way out', () => {
  const alone = manifest.replace('    - --permit-port-sharing=true\n', '');
  expect(() => renderTurn(alone, 'kube-apiserver-b', 'r1')).toThrow(/--permit-port-sharing.*\n.*understudy down/);
});

it.each(['', 'a: b', '[]', 'spec: {containers: []}'])("takes '%s' for no manifest", (content) => {
  expect(() => renderTurn(content, 'kube-apiserver-b', 'r1')).toThrow('no container with --advertise-address');
});
