import type { Group } from './recipe.ts';

/** Of sigs.k8s.io/kwok, as `modules/kwok/go.mod` pins it. */
const version = '0.8.0';

const folder = 'kustomize/stage';

/**
 * What kwok does with nodes and pods, a YAML file of its own each: nodes become Ready at once and stay so by a lease, pods run at once,
 * init containers and the pods of Jobs have ended at once.
 */
export const kwokStages = {
  name: 'kwok-stages',
  version,
  programs: [
    { name: 'node-initialize.yaml', isData: true },
    { name: 'node-heartbeat-with-lease.yaml', isData: true },
    { name: 'pod-ready.yaml', isData: true },
    { name: 'pod-complete.yaml', isData: true },
    { name: 'pod-delete.yaml', isData: true },
  ],
  build: {
    kind: 'files',
    module: 'kwok',
    goModule: 'sigs.k8s.io/kwok',
    url: `https://raw.githubusercontent.com/kubernetes-sigs/kwok/v${version}`,
    files: {
      'node-initialize.yaml': {
        path: `${folder}/node/fast/node-initialize.yaml`,
        sha256: 'bb38f752d90248528b579a0ae8f0f660ff3428457eb5c1ebe6345c3246cc7ee5',
      },
      'node-heartbeat-with-lease.yaml': {
        path: `${folder}/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml`,
        sha256: '9becfc93321222915bd1ec8ab103fe769afe4b23e1386bf40553deb02e332c9c',
      },
      'pod-ready.yaml': {
        path: `${folder}/pod/fast/pod-ready.yaml`,
        sha256: '4d04a22c1b9dc6adcd4da90b32ce85687ba0058e15ca1eebcfa7cd64201d4148',
      },
      'pod-complete.yaml': {
        path: `${folder}/pod/fast/pod-complete.yaml`,
        sha256: '86b800597419abbd7d8c43b0dfc4782643cfcfcfc8ac617f1e79e4e3a68533b2',
      },
      'pod-delete.yaml': {
        path: `${folder}/pod/fast/pod-delete.yaml`,
        sha256: 'a83bc287bfc7a4f1e3748e01761186128a4042e38b304195e984111ce5626cef',
      },
    },
    packages: ['ca-certificates'],
  },
} as const satisfies Group;

export type KwokStageName = (typeof kwokStages)['programs'][number]['name'];

export const kwokStageNames: readonly KwokStageName[] = kwokStages.programs.map(({ name }) => name);
