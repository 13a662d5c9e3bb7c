import type { Group } from './recipe.ts';

/** github.com/openshift/api: the commit that `modules/openshift/go.mod` pins, and its version as a Go module. */
const commit = 'cfb63858e9d74c5239e00b17790840e07c66c0be';
const version = '0.0.0-20260805215214-cfb63858e9d7';

/** Where its files come from. */
export const openShiftApiSource = {
  kind: 'files',
  module: 'openshift',
  goModule: 'github.com/openshift/api',
  url: `https://raw.githubusercontent.com/openshift/api/${commit}`,
  packages: ['ca-certificates'],
} as const;

const folder = 'payload-manifests/crds';
/** The feature set that has encryption by KMS. */
const featureSet = 'TechPreviewNoUpgrade';

/**
 * OpenShift's custom resource definitions that encryption is asked for and reported in, a YAML file each. They are data:
 * neither looked for on PATH nor executable. A new one changes the place of all in the cache, so all are got again.
 */
export const openShiftCrds = {
  name: 'openshift-crds',
  version,
  programs: [
    { name: 'apiservers.config.openshift.io.yaml', isData: true },
    { name: 'kubeapiservers.operator.openshift.io.yaml', isData: true },
    { name: 'openshiftapiservers.operator.openshift.io.yaml', isData: true },
    { name: 'authentications.operator.openshift.io.yaml', isData: true },
    { name: 'clusteroperators.config.openshift.io.yaml', isData: true },
  ],
  build: {
    ...openShiftApiSource,
    files: {
      'apiservers.config.openshift.io.yaml': {
        path: `${folder}/0000_10_config-operator_01_apiservers-${featureSet}.crd.yaml`,
        sha256: '517e44dd7870a899cca4c170cf1a3e93c2f5fb5437efddc9df1aecc2b38e7fb5',
      },
      'kubeapiservers.operator.openshift.io.yaml': {
        path: `${folder}/0000_20_kube-apiserver_01_kubeapiservers-${featureSet}.crd.yaml`,
        sha256: 'a9c04ce8baeaf2def382852593c415c07f2575d0d25c3b6c69eba64e2a0f1111',
      },
      'openshiftapiservers.operator.openshift.io.yaml': {
        path: `${folder}/0000_30_openshift-apiserver_01_openshiftapiservers-${featureSet}.crd.yaml`,
        sha256: 'c2dcbd39de6bb13bbade6d69f86e96c113679de12c21bc0b93a8d6b5d0262326',
      },
      'authentications.operator.openshift.io.yaml': {
        path: `${folder}/0000_50_authentication_01_authentications-${featureSet}.crd.yaml`,
        sha256: 'b2f054c748838933030c03a0cf89b830780f8728cf3116c87b4b72663da60fdd',
      },
      'clusteroperators.config.openshift.io.yaml': {
        // The same for all feature sets, so payload-manifests/ has none of it.
        path: 'config/v1/zz_generated.crd-manifests/0000_00_cluster-version-operator_01_clusteroperators.crd.yaml',
        sha256: '8e1270b3736ba431b1c13047550f343d5ae38042d1ad4a067c72d31eab121a2c',
      },
    },
  },
} as const satisfies Group;

export type CrdName = (typeof openShiftCrds)['programs'][number]['name'];

export const crdNames: readonly CrdName[] = openShiftCrds.programs.map(({ name }) => name);
