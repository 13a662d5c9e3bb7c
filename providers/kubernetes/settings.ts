import { diffMaps } from '../protocol/diff.ts';
import type { CheckFailure, CheckResult, DiffResult, PropertyDiff } from '../protocol/provider.ts';
import { equals, isMap, type PropertyMap, Unknown } from '../protocol/values.ts';
import { activeCluster, type KubeconfigOverrides, loadKubeconfig } from './kubeconfig.ts';
import { at, stringAt } from './objects.ts';
import type { Mutability } from './replaceRules.ts';

/** Settings of a `kubernetes.Provider` that mean something here. */
export interface Settings extends Mutability {
  /** Path, content, or undefined for the ambient one. */
  readonly kubeconfig: string | undefined;
  readonly overrides: KubeconfigOverrides;
  /** Objects of a cluster that cannot be reached count as gone. */
  readonly deleteUnreachable: boolean;
}

const supported = [
  'kubeconfig',
  'context',
  'cluster',
  'clusterIdentifier',
  'namespace',
  'deleteUnreachable',
  'enableConfigMapMutable',
  'enableSecretMutable',
  'enableServerSideApply',
  // Nothing here warns of those.
  'suppressDeprecationWarnings',
  'suppressHelmHookWarnings',
];

/** Of every provider, whatever it is. */
const engineOwn = ['version', 'pluginDownloadURL', '__internal'];

/** The SDK sends booleans as the text of their JSON. */
const isSet = (inputs: PropertyMap, name: string, variable: string): boolean => {
  const value = at(inputs, name);
  return value === undefined || value === null ? process.env[variable] === 'true' : value === true || value === 'true';
};

const unsupported = (property: string): CheckFailure => ({
  property,
  reason:
    `'${property}' is not supported by the stand-in for Pulumi's kubernetes provider: leave it out, ` +
    'or install the official one (pulumi plugin install resource kubernetes)',
});

/** Settings that are there and do not work here. */
export const checkSettings = (inputs: PropertyMap): CheckResult => {
  const isOff = (name: string): boolean =>
    [null, undefined, false, 'false', '', 'null'].some((off) => at(inputs, name) === off);
  const unknownOnes = Object.keys(inputs).filter(
    (name) => !supported.includes(name) && !engineOwn.includes(name) && !isOff(name),
  );
  const clientSide = at(inputs, 'enableServerSideApply');
  const failures = unknownOnes.map(unsupported);
  if (clientSide !== false && clientSide !== 'false') return { inputs, failures };
  const reason = 'only server-side apply is supported by the stand-in: leave it out, or set it to true';
  return { inputs, failures: [...failures, { property: 'enableServerSideApply', reason }] };
};

const kubeconfigText = (inputs: PropertyMap): string | undefined => {
  const value = at(inputs, 'kubeconfig');
  return isMap(value) ? JSON.stringify(value) : stringAt(inputs, 'kubeconfig');
};

const overridesFrom = (inputs: PropertyMap): KubeconfigOverrides => ({
  context: stringAt(inputs, 'context'),
  cluster: stringAt(inputs, 'cluster'),
  namespace: stringAt(inputs, 'namespace'),
});

export const settingsFrom = (inputs: PropertyMap): Settings => ({
  kubeconfig: kubeconfigText(inputs),
  overrides: overridesFrom(inputs),
  deleteUnreachable: isSet(inputs, 'deleteUnreachable', 'PULUMI_K8S_DELETE_UNREACHABLE'),
  enableSecretMutable: isSet(inputs, 'enableSecretMutable', 'PULUMI_K8S_ENABLE_SECRET_MUTABLE'),
  enableConfigMapMutable: isSet(inputs, 'enableConfigMapMutable', 'PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE'),
});

const clusterOf = (inputs: PropertyMap): PropertyMap | undefined => {
  try {
    return activeCluster(loadKubeconfig(kubeconfigText(inputs)), overridesFrom(inputs));
  } catch {
    // A kubeconfig that cannot be read says nothing about the cluster; using it will say what is wrong.
    return undefined;
  }
};

const clusterKeys = ['kubeconfig', 'context', 'cluster'];

/**
 * What of the settings has changed. Another cluster replaces the provider and all that it made: told by `clusterIdentifier`
 * where there is one, else by the kubeconfig's active cluster; a kubeconfig that is not known yet may be another cluster's.
 */
export const diffSettings = (oldInputs: PropertyMap, inputs: PropertyMap): DiffResult => {
  const changed = [...new Set(diffMaps(oldInputs, inputs).map(({ path: [key = ''] }) => String(key)))];
  const identified = at(inputs, 'clusterIdentifier') !== undefined;
  const sameIdentifier = identified && equals(at(oldInputs, 'clusterIdentifier'), at(inputs, 'clusterIdentifier'));
  const anotherCluster = (): boolean => {
    if (clusterKeys.some((key) => at(inputs, key) instanceof Unknown)) return true;
    const [before, now] = [clusterOf(oldInputs), clusterOf(inputs)];
    return before !== undefined && now !== undefined && !equals(before, now);
  };
  const moved = !sameIdentifier && changed.some((key) => clusterKeys.includes(key)) && anotherCluster();
  const kindOf = (key: string): PropertyDiff['kind'] => {
    if (at(inputs, key) === undefined) return 'delete';
    return at(oldInputs, key) === undefined ? 'add' : 'update';
  };
  const identifierChanged = (key: string): boolean => key === 'clusterIdentifier' && kindOf(key) === 'update';
  return {
    changes: new Map(
      changed.map((key) => [
        key,
        { kind: kindOf(key), replaces: identifierChanged(key) || (moved && clusterKeys.includes(key)) },
      ]),
    ),
    deleteBeforeReplace: false,
  };
};
