import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { hollowGroup } from '../../common/hollowGroups.ts';
import { bootstrapKubeconfig, kubemarkArguments } from './kubemark.ts';

test('a group becomes flags of kubemark, and every one of its nodes registers as hollow', () => {
  const group = hollowGroup.parse({
    name: 'gpu',
    count: 3,
    cpu: 8,
    memory: '32Gi',
    pods: 50,
    extendedResources: { 'nvidia.com/gpu': 4 },
    labels: { rack: 'r7' },
    taints: ['dedicated=gpu:NoExecute', 'lonely:NoSchedule'],
  });
  expect(kubemarkArguments(group)).toEqual([
    '--morph=kubelet',
    '--name=$(NODE_NAME)',
    '--bootstrap-kubeconfig=/etc/hollow-node/bootstrap.kubeconfig',
    '--kubeconfig=/identity/kubeconfig',
    '--cert-dir=/identity',
    '--node-labels=rack=r7,spoofed=true,understudy.dev/hollow-group=gpu,understudy.dev/hollow-engine=kubemark',
    '--register-with-taints=spoofed=true:NoSchedule,dedicated=gpu:NoExecute,lonely=:NoSchedule',
    '--max-pods=50',
    '--extended-resources=nvidia.com/gpu=4,cpu=8,memory=32Gi',
    '--use-host-image-service=false',
    '--kubelet-read-only-port=10255',
  ]);
});

test('what a pod begins with names files and holds no secret', () => {
  const { users, clusters } = parse(bootstrapKubeconfig()) as { readonly users: unknown; readonly clusters: unknown };
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  expect(users).toEqual([{ name: 'pod', user: { tokenFile: `${folder}/token` } }]);
  expect(clusters).toEqual([
    {
      name: 'own',
      cluster: { server: 'https://kubernetes.default.svc', 'certificate-authority': `${folder}/ca.crt` },
    },
  ]);
});
