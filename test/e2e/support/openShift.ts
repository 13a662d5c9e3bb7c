import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { projectDir } from '../../../common/paths.ts';
import { openShiftApiSource, openShiftCrds } from '../../../toolchain/openshift.ts';
import type { Group } from '../../../toolchain/recipe.ts';
import { ensureTools } from '../../tools/ensure.ts';
import { eventually } from './home.ts';
import { type Kubectl, pluginNamespace } from './kubectl.ts';

const crds = 'payload-manifests/crds';

/** The kinds by which an OpenShift is known as one, of the module that the toolchain pins. */
const identityCrds = {
  name: 'openshift-identity-crds',
  version: openShiftCrds.version,
  programs: [
    { name: 'clusterversions.yaml', isData: true },
    { name: 'infrastructures.yaml', isData: true },
    { name: 'featuregates.yaml', isData: true },
    { name: 'securitycontextconstraints.yaml', isData: true },
  ],
  build: {
    ...openShiftApiSource,
    files: {
      'clusterversions.yaml': {
        path: 'config/v1/zz_generated.crd-manifests/0000_00_cluster-version-operator_01_clusterversions-Default.crd.yaml',
        sha256: '10b91f51a922ff39a529ab2c1b6e049cbe1ca929d9f815c9b4880c7d66a204ab',
      },
      'infrastructures.yaml': {
        path: `${crds}/0000_10_config-operator_01_infrastructures-Default.crd.yaml`,
        sha256: 'f0b7ba6bd848f398d13a4c9144682288c6b02eb2c80d68db278989fb5a787d94',
      },
      'featuregates.yaml': {
        path: `${crds}/0000_10_config-operator_01_featuregates.crd.yaml`,
        sha256: 'e6b53b5e85565e24d8e6ceb16aecae8c64377db98e563e71a33a3dbabdd2973f',
      },
      'securitycontextconstraints.yaml': {
        path: `${crds}/0000_03_config-operator_01_securitycontextconstraints.crd.yaml`,
        sha256: 'caeeb85886a16888227e7a924a9e8e861a7aa0cbf62cf0252a316f90692a2837',
      },
    },
  },
} as const satisfies Group;

export interface OpenShiftShape {
  /** As OpenShift writes it: `AWS`. */
  readonly platform: string;
  /** Feature gates that are on. */
  readonly gates: readonly string[];
}

const version = '4.21.3';
const config = 'config.openshift.io/v1';

/** Changes what an OpenShift says of itself. */
export const reshape = async (kubectl: Kubectl, { platform, gates }: OpenShiftShape): Promise<void> => {
  const status = (kind: string, name: string, change: object): Promise<string> =>
    kubectl('patch', kind, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: change }));
  await status('infrastructure', 'cluster', { platform, platformStatus: { type: platform } });
  const enabled = gates.map((name) => ({ name }));
  await status('featuregate', 'cluster', { featureGates: [{ version, enabled, disabled: [{ name: 'Other' }] }] });
};

/**
 * Dresses a local cluster, which has the operators' stand-in, as an OpenShift on a cloud: the objects by which it is known.
 * @returns its cluster ID
 */
export const dressAsOpenShift = async (kubectl: Kubectl, shape: OpenShiftShape): Promise<string> => {
  const files = await ensureTools(identityCrds, join(projectDir, 'toolchain', 'modules'));
  await kubectl('apply', '--server-side', ...Object.values(files).flatMap((path) => ['-f', path]));
  const kinds = ['clusterversions', 'infrastructures', 'featuregates'].map((kind) => `crd/${kind}.config.openshift.io`);
  await kubectl('wait', '--for=condition=Established', ...kinds);
  const clusterID = randomUUID();
  await eventually('the objects of an OpenShift', async () => {
    await kubectl.apply(
      { apiVersion: config, kind: 'ClusterVersion', metadata: { name: 'version' }, spec: { clusterID } },
      { apiVersion: config, kind: 'Infrastructure', metadata: { name: 'cluster' }, spec: { platformSpec: {} } },
      {
        apiVersion: config,
        kind: 'FeatureGate',
        metadata: { name: 'cluster' },
        spec: { featureSet: shape.gates.length > 0 ? 'TechPreviewNoUpgrade' : '' },
      },
    );
    return true;
  });
  const running = {
    desired: { version, image: 'registry.invalid/release@sha256:0', url: '' },
    observedGeneration: 1,
    versionHash: 'x',
    availableUpdates: [],
  };
  const patch = JSON.stringify({ status: running });
  await kubectl('patch', 'clusterversion', 'version', '--subresource=status', '--type=merge', '-p', patch);
  await reshape(kubectl, shape);
  return clusterID;
};

/** Takes the local stack's own plugin away, as an OpenShift has none; its operator may look for one in the next namespace of that name, too. */
export const removeOwnPlugin = async (kubectl: Kubectl): Promise<void> => {
  const operator = 'openshift-kube-apiserver-operator:kube-apiserver-operator';
  await kubectl('create', 'clusterrole', 'looks-for-plugins', '--verb=get,list,watch', '--resource=pods');
  const binding = ['--clusterrole=looks-for-plugins', `--serviceaccount=${operator}`];
  await kubectl('create', 'clusterrolebinding', 'looks-for-plugins', ...binding);
  await kubectl('delete', 'namespace', pluginNamespace, '--timeout=60s', '--request-timeout=70s');
};
