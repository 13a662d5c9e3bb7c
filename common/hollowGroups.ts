import { z } from 'zod';
import { engineLabel, groupLabel, hollowEngines, spoofed } from './hollowNodes.ts';

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const quantity = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => /^\d+(\.\d+)?(m|k|[KMGTPE]i|[MGTPE])?$/.test(text) && Number.parseFloat(text) > 0, {
    error: "it is no quantity above zero, such as 4, 500m or '16Gi'",
  });

const qualifiedName = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

const ownKeys: readonly string[] = [spoofed.key, groupLabel, engineLabel];

/**
 * Labels of kubernetes.io that a kubelet may give to its own node.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
const kubeletLabels = [
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
];

const isReserved = (key: string): boolean => {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : '';
  if (!/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) return false;
  return !kubeletLabels.includes(key) && !/(^|\.)(kubelet|node)\.kubernetes\.io$/.test(domain);
};

const nodeLabels = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .superRefine((labels, context) => {
    const wrong = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    for (const [key, value] of Object.entries(labels)) {
      if (!qualifiedName.test(key)) wrong(key, 'it is no name of a label');
      else if (!labelValue.test(value)) wrong(key, `'${value}' is no value of a label`);
      else if (ownKeys.includes(key)) wrong(key, 'every hollow node has it anyway, with a value that is fixed');
      else if (isReserved(key))
        wrong(key, 'a kubelet may not give its node this label, so the API server would refuse the node');
    }
  });

const taintPattern = /^(?<key>[^=:]+)(=(?<value>[^:]*))?:(?<effect>NoSchedule|PreferNoSchedule|NoExecute)$/;

/** A taint as nodes have it. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const parseTaint = (text: string): Taint | undefined => {
  const { key = '', value, effect = '' } = taintPattern.exec(text)?.groups ?? {};
  if (!qualifiedName.test(key) || !labelValue.test(value ?? '')) return undefined;
  return { key, ...(value && { value }), effect };
};

const taint = z
  .string()
  .refine((text) => parseTaint(text) !== undefined, { error: 'it is no taint, such as dedicated=gpu:NoSchedule' })
  .refine((text) => !ownKeys.includes(parseTaint(text)?.key ?? ''), {
    error: 'every hollow node has that taint anyway',
  });

const resourceName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

const resources = z
  .record(
    z.string(),
    z.int({ error: 'extended resources come in whole numbers' }).min(1, { error: 'it must be 1 at least' }),
  )
  .superRefine((named, context) => {
    for (const name of Object.keys(named).filter((key) => !resourceName.test(key))) {
      const message = 'it is no name of an extended resource, such as nvidia.com/gpu';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });

/** Nodes of a kwok group at most: beyond, one kwok does not renew their leases in time. */
const largestGroup = 10_000;

/** A group of hollow nodes that are alike, as the setting `hollowNodes` lists them. */
export const hollowGroup = z.strictObject({
  name: z.string().regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, {
    error: 'it becomes part of node names: at most 40 lower-case letters, digits and hyphens, a letter first',
  }),
  engine: z.enum(hollowEngines).default('kubemark'),
  count: z
    .int({ error: 'it is no whole number' })
    .min(1, { error: 'it must be 1 at least; to have none, remove the group' })
    .max(largestGroup, { error: `a group has ${largestGroup} nodes at most` }),
  cpu: quantity.default('4'),
  memory: quantity.default('16Gi'),
  /** Pods that fit on a node. */
  pods: z.int().min(1).max(1_000).default(110),
  /** Further resources of a node: `nvidia.com/gpu: 8`. */
  extendedResources: resources.default({}),
  labels: nodeLabels.default({}),
  /** `<key>=<value>:<effect>`, beside `spoofed=true:NoSchedule`. */
  taints: z.array(taint).default([]),
});
export type HollowGroup = z.infer<typeof hollowGroup>;

/** The groups of a cluster. */
export const hollowGroups = z.array(hollowGroup).superRefine((groups, context) => {
  groups.forEach(({ name }, index) => {
    if (groups.findIndex((group) => group.name === name) === index) return;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: `there are two groups '${name}'` });
  });
});

/** All labels of a group's nodes. */
export const labelsOf = (group: HollowGroup): Readonly<Record<string, string>> => ({
  ...group.labels,
  [spoofed.key]: spoofed.value,
  [groupLabel]: group.name,
  [engineLabel]: group.engine,
});

/** All taints of a group's nodes. */
export const taintsOf = (group: HollowGroup): readonly Taint[] => [
  { key: spoofed.key, value: spoofed.value, effect: spoofed.effect },
  ...group.taints.flatMap((text) => parseTaint(text) ?? []),
];

/** All resources of a node of a group, as `status.capacity` has them. */
export const capacityOf = (group: HollowGroup): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(group.extendedResources).map(([name, count]) => [name, String(count)])),
  cpu: group.cpu,
  memory: group.memory,
  pods: String(group.pods),
});
