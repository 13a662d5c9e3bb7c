import { expect, test } from 'vitest';
import { kindBaseNames, nodePathOf } from '../../toolchain/kindBase.ts';
import {
  baseSpec,
  containerdConfiguration,
  imagePrograms,
  type NodeImageParts,
  nodeImageKey,
  programOf,
} from './recipe.ts';

const partsWith = (kubelet: string, digest = 'sha256:1'): NodeImageParts => ({
  serviceLayer: { reference: 'node', digest, layoutDir: '/images' },
  programs: Object.fromEntries(
    imagePrograms.map((name) => [name, name === 'kubelet' ? kubelet : `/cache/${name}`]),
  ) as NodeImageParts['programs'],
  kindBase: Object.fromEntries(kindBaseNames.map((name) => [name, `/cache/${name}`])) as NodeImageParts['kindBase'],
});

test('an image is kept under what goes in', () => {
  expect(nodeImageKey(partsWith('/cache/kubelet-1'))).toBe(nodeImageKey(partsWith('/cache/kubelet-1')));
  expect(nodeImageKey(partsWith('/cache/kubelet-2'))).not.toBe(nodeImageKey(partsWith('/cache/kubelet-1')));
  expect(nodeImageKey(partsWith('/cache/kubelet-1', 'sha256:2'))).not.toBe(nodeImageKey(partsWith('/cache/kubelet-1')));
  expect(nodeImageKey(partsWith('/cache/kubelet-1'))).toMatch(/^[0-9a-f]{12}$/);
});

test.each([
  ['registry.k8s.io/kube-apiserver:v1.36.3', 'kube-apiserver'],
  ['registry.k8s.io/coredns/coredns:v1.14.2', 'coredns'],
  ['localhost:5000/etcd:3.6.8-0', 'etcd'],
])('image %s is of program %s', (image, program) => {
  expect(programOf(image)).toBe(program);
});

test('the containerd of a node starts sandboxes of the image that is there, on machines that may not lower oom_score_adj too', () => {
  const kindConfiguration = '  sandbox_image = "registry.k8s.io/pause:3.10"\n  restrict_oom_score_adj = false\n';
  expect(containerdConfiguration(kindConfiguration, 'registry.k8s.io/pause:3.10.2')).toBe(
    '  sandbox_image = "registry.k8s.io/pause:3.10.2"\n  restrict_oom_score_adj = true\n',
  );
});

test('a configuration of containerd that is not as it was when this was written is an error', () => {
  expect(() => containerdConfiguration('version = 4\n', 'pause')).toThrow('no sandbox_image');
});

test('the spec that containers begin with has the hook of kind and no limits', () => {
  const spec = {
    process: { cwd: '/', rlimits: [{ type: 'RLIMIT_NOFILE' }] },
    hooks: { createContainer: [{ path: '/a' }] },
  };
  expect(JSON.parse(baseSpec(JSON.stringify(spec)))).toEqual({
    process: { cwd: '/' },
    hooks: { createContainer: [{ path: '/a' }, { path: '/kind/bin/mount-product-files.sh' }] },
  });
});

test('files of kind go where its own Dockerfile copies them', () => {
  expect(nodePathOf('entrypoint')).toBe('/usr/local/bin/entrypoint');
  expect(nodePathOf('10-kubeadm.conf')).toBe('/etc/systemd/system/kubelet.service.d/10-kubeadm.conf');
});
