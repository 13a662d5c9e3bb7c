/** The namespace of what simulates nodes. */
export const hollowNamespace = 'hollow-nodes';

/** Label and taint that every hollow node registers with. */
export const spoofed = { key: 'spoofed', value: 'true', effect: 'NoSchedule' } as const;

/** Annotation of a namespace: with the value `true` its pods belong on hollow nodes. */
export const spoofedAnnotation = 'spoofed';

/**
 * Annotation of such a namespace: pods whose name matches one of these expressions (RE2, found anywhere in it) belong on real
 * nodes nevertheless. Separated by line breaks, or by commas where there is none.
 */
export const excludedAnnotation = 'spoofed_excluded_pods';

/** Annotation of a DaemonSet whose pods were put on hollow nodes by us: its own node selector is another thing. */
export const placedAnnotation = 'understudy.dev/placed-on-hollow-nodes';

/** Label of a hollow node: the group that it is of. */
export const groupLabel = 'understudy.dev/hollow-group';

/** Label of a hollow node: who simulates it. */
export const engineLabel = 'understudy.dev/hollow-engine';

export const hollowEngines = ['kubemark', 'kwok'] as const;
export type HollowEngine = (typeof hollowEngines)[number];

/** Name of a group's StatefulSet, where kubemark simulates its nodes. */
export const hollowSetName = (group: string): string => `hollow-${group}`;

/** What the names of a group's nodes begin with; their number follows. */
export const hollowNodePrefix = (group: string): string => `${hollowSetName(group)}-`;

/** Name of the node with this number of a group, from 0 on; the name of its pod too where kubemark simulates it. */
export const hollowNodeName = (group: string, index: number): string => `${hollowNodePrefix(group)}${index}`;

/** The group of a node of that name; undefined where it is no name of a hollow node. */
export const groupOfNode = (name: string): string | undefined => /^hollow-(.+)-\d+$/.exec(name)?.[1];

/** The ConfigMap of {@link hollowNamespace} that holds the groups as JSON, and its key. */
export const groupsConfigMap = 'hollow-node-groups';
export const groupsKey = 'groups.json';

/** The service account of kubemark's pods. */
export const nodeAccount = { namespace: hollowNamespace, name: 'hollow-node' };
