import type { Change } from '../protocol/diff.ts';
import { type PropertyPath, parsePath } from '../protocol/path.ts';
import { isList, isMap, type PropertyValue } from '../protocol/values.ts';
import { apiVersionOf, at, type KubeObject, kindOf } from './objects.ts';

/** Settings of the provider that make data changes updates. */
export interface Mutability {
  readonly enableSecretMutable: boolean;
  readonly enableConfigMapMutable: boolean;
}

const identity = ['metadata.name', 'metadata.namespace'];
const selector = ['spec.selector'];
const roleRef = ['roleRef'];

const containerFields = [
  'args',
  'command',
  'env',
  'imagePullPolicy',
  'lifecycle',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'resources',
  'securityContext',
  'stdin',
  'stdinOnce',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'tty',
  'volumeDevices',
  'volumeMounts',
  'workingDir',
  'image',
];

const podFields = [
  'affinity',
  'automountServiceAccountToken',
  'dnsConfig',
  'dnsPolicy',
  'enableServiceLinks',
  'hostAliases',
  'hostIPC',
  'hostNetwork',
  'hostPID',
  'hostname',
  'imagePullSecrets',
  'nodeName',
  'nodeSelector',
  'overhead',
  'preemptionPolicy',
  'priority',
  'priorityClassName',
  'readinessGates',
  'restartPolicy',
  'runtimeClassName',
  'schedulerName',
  'securityContext',
  'serviceAccount',
  'serviceAccountName',
  'shareProcessNamespace',
  'subdomain',
  'terminationGracePeriodSeconds',
  'volumes',
];

const volumeSources = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
];

/** Fields that the official provider (pulumi-kubernetes, provider/pkg/provider/diff.go) replaces an object for. */
const rules: Readonly<Record<string, readonly string[]>> = {
  'apps/v1/DaemonSet': selector,
  'apps/v1/Deployment': selector,
  'apps/v1/StatefulSet': [
    ...selector,
    'spec.podManagementPolicy',
    'spec.revisionHistoryLimit',
    'spec.serviceName',
    'spec.volumeClaimTemplates',
  ],
  'batch/v1/Job': [...selector, 'spec.completions', 'spec.parallelism', 'spec.template'],
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': roleRef,
  'rbac.authorization.k8s.io/v1/RoleBinding': roleRef,
  'storage.k8s.io/v1/StorageClass': ['parameters', 'provisioner'],
  'v1/PersistentVolume': volumeSources.map((source) => `spec.${source}`),
  'v1/PersistentVolumeClaim': [...selector, 'spec.accessModes', 'spec.storageClassName', 'spec.volumeName'],
  'v1/Pod': [
    ...podFields.map((field) => `spec.${field}`),
    ...['containers', 'initContainers'].flatMap((list) => containerFields.map((field) => `spec.${list}[*].${field}`)),
  ],
  'v1/ResourceQuota': ['spec.scopes'],
  'v1/Service': ['spec.clusterIP'],
};

const dataRules = (object: KubeObject, mutable: boolean, fields: readonly string[]): readonly string[] =>
  mutable && at(object, 'immutable') !== true ? [] : fields;

const rulesFor = (inputs: KubeObject, mutability: Mutability): readonly string[] => {
  const type = `${apiVersionOf(inputs)}/${kindOf(inputs)}`;
  if (type === 'v1/Secret') {
    const data = dataRules(inputs, mutability.enableSecretMutable, ['data', 'stringData']);
    return [...identity, 'type', ...data];
  }
  if (type === 'v1/ConfigMap') {
    return [...identity, ...dataRules(inputs, mutability.enableConfigMapMutable, ['data', 'binaryData'])];
  }
  return [...identity, ...(rules[type] ?? [])];
};

/** Whether the rule's place is at, above or inside what changed at `path`. */
const touches = (rule: PropertyPath, path: PropertyPath, value: PropertyValue): boolean => {
  const [wanted, ...restOfRule] = rule;
  const [part, ...restOfPath] = path;
  if (wanted === undefined) return true;
  if (part !== undefined) return (wanted === '*' || wanted === part) && touches(restOfRule, restOfPath, value);
  if (wanted === '*') return isList(value) && value.some((element) => touches(restOfRule, [], element));
  const inner = isMap(value) ? value[String(wanted)] : undefined;
  return inner !== undefined && touches(restOfRule, [], inner);
};

/**
 * Whether the API server, or the official provider's rules, make this change of an object a replacement.
 * @param isPatch of a *Patch resource only the identity counts: it does not own the object.
 */
export const replaces = (change: Change, inputs: KubeObject, isPatch: boolean, mutability: Mutability): boolean =>
  (isPatch ? identity : rulesFor(inputs, mutability)).some((rule) =>
    touches(parsePath(rule), change.path, change.value),
  );
