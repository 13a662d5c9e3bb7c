import { excludedAnnotation, placedAnnotation, spoofedAnnotation } from '../../common/hollowNodes.ts';
import type { Metadata, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Toleration } from './objects.ts';

/**
 * What becomes of an object, for each way that decides it: the functions of this folder, and the policies that say the same in
 * CEL.
 */
export interface PlacementCase {
  /** The rest of a sentence: 'a pod that …'. */
  readonly title: string;
  /** A DaemonSet's spec is that of its template. */
  readonly kind: 'Pod' | 'DaemonSet';
  /** Of its namespace. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly metadata: Metadata;
  readonly spec: PodSpec & { readonly nodeName?: string };
  /** The spec afterwards, or a part of the refusal's reason. */
  readonly becomes: PodSpec | { readonly refused: string };
  /** Whether a DaemonSet ends with {@link placedAnnotation}; not where left out. */
  readonly marked?: boolean;
}

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const affinity = (...terms: readonly NodeSelectorTerm[]): PodSpec => ({
  affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: terms } } },
});

const everything: Toleration = { operator: 'Exists' };
const ours: Toleration = { key: 'spoofed', operator: 'Equal', value: 'true', effect: 'NoSchedule' };
const off: NodeSelectorRequirement = { key: 'spoofed', operator: 'NotIn', values: ['true'] };
const ssd: NodeSelectorRequirement = { key: 'disk', operator: 'In', values: ['ssd', 'nvme'] };
const gpu: NodeSelectorRequirement = { key: 'gpu', operator: 'Exists' };
const onNode: NodeSelectorRequirement = { key: 'metadata.name', operator: 'In', values: ['node-1'] };

const hollow: PodSpec = { nodeSelector: { spoofed: 'true' }, tolerations: [ours] };
const real: PodSpec = affinity({ matchExpressions: [off] });

const plain = {};
const annotated = { [spoofedAnnotation]: 'true' };
const excluding = (list: string): Readonly<Record<string, string>> => ({ ...annotated, [excludedAnnotation]: list });
const marked = { annotations: { [placedAnnotation]: 'true' } };

type Given = Omit<PlacementCase, 'kind' | 'spec' | 'metadata'> & Partial<PlacementCase>;
const pod = (given: Given): PlacementCase => ({ kind: 'Pod', metadata: { name: 'web' }, spec: {}, ...given });
const daemonSet = (given: Given): PlacementCase => ({
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: {},
  ...given,
});

const byNamespace: readonly PlacementCase[] = [
  pod({ title: 'is of an annotated namespace', annotations: annotated, becomes: hollow }),
  pod({ title: 'is of a namespace without annotations', annotations: plain, becomes: real }),
  pod({ title: "is of a namespace annotated 'false'", annotations: { [spoofedAnnotation]: 'false' }, becomes: real }),
  pod({
    title: 'is of a namespace that has a list but is not annotated',
    annotations: { [excludedAnnotation]: '^other' },
    becomes: real,
  }),
  pod({ title: 'is excluded by its name', annotations: excluding('^web$'), becomes: real }),
  pod({ title: 'is not excluded by its name', annotations: excluding('^web-'), becomes: hollow }),
];

const byList: readonly PlacementCase[] = [
  pod({ title: 'is matched anywhere in its name', annotations: excluding('e'), becomes: real }),
  pod({ title: 'meets a list that is empty', annotations: excluding(' ,\t, '), becomes: hollow }),
  pod({
    title: 'is matched by the last of a list with commas',
    annotations: excluding('db, cache ,\tw.b'),
    becomes: real,
  }),
  pod({
    title: 'is matched by a line with a comma in a quantifier',
    annotations: excluding('\r\n  ^db$\r\n  ^[a-z]{2,3}$  \r\n'),
    becomes: real,
  }),
  pod({ title: 'would be matched by two lines as one', annotations: excluding('w\neb$x'), becomes: real }),
  pod({ title: 'meets a line with commas', annotations: excluding('web,db\n^x'), becomes: hollow }),
  pod({ title: 'is matched regardless of case', annotations: excluding('(?i)^WEB$'), becomes: real }),
  pod({ title: 'is matched by a class of Unicode', annotations: excluding('^\\pL+$'), becomes: real }),
  pod({
    title: 'has a long name that would make a backtracking engine hang',
    annotations: excluding('(a+)+$\n^(a|aa)+$\n^([a-z]+)*1$'),
    metadata: { name: `${'a'.repeat(252)}0` },
    becomes: hollow,
  }),
  pod({
    title: 'is matched by the last of 50 expressions',
    annotations: excluding(Array.from({ length: 50 }, (_, index) => `^web(-[0-9]+)*${49 - index || '$'}`).join(',')),
    becomes: real,
  }),
  pod({
    title: 'meets as many expressions as a list can have',
    annotations: excluding(Array.from({ length: 1024 }, () => 'x').join(',')),
    metadata: { name: 'a'.repeat(253) },
    becomes: hollow,
  }),
  pod({
    title: 'meets an invalid expression',
    annotations: excluding('^db$,web('),
    becomes: { refused: 'error parsing regexp: missing closing ): `web(`' },
  }),
  pod({ title: 'is matched beside an invalid expression', annotations: excluding('web(,^web$'), becomes: real }),
  pod({
    title: 'meets an expression that RE2 does not have',
    annotations: excluding('^(?!web)'),
    becomes: { refused: 'error parsing regexp: invalid or unsupported Perl syntax: `(?!`' },
  }),
];

const byGeneratedName: readonly PlacementCase[] = [
  pod({
    title: 'a Deployment makes, by the name of the Deployment',
    annotations: excluding('^web-'),
    metadata: { generateName: 'web-5d8f7c9b6-' },
    becomes: real,
  }),
  pod({
    title: 'a controller makes, whose end is not known yet',
    annotations: excluding('^web-[a-z0-9]{5}$'),
    metadata: { generateName: 'web-' },
    becomes: hollow,
  }),
  pod({
    title: 'a controller makes, whose known end is a hyphen',
    annotations: excluding('^web-$'),
    metadata: { generateName: 'web-' },
    becomes: real,
  }),
  pod({
    title: 'a StatefulSet makes, by its number',
    annotations: excluding('^db-0$'),
    metadata: { name: 'db-0', generateName: 'db-' },
    becomes: real,
  }),
];

const bySpec: readonly PlacementCase[] = [
  pod({
    title: 'has a selector and tolerations',
    annotations: annotated,
    spec: { nodeSelector: { disk: 'ssd' }, tolerations: [everything] },
    becomes: { nodeSelector: { disk: 'ssd', spoofed: 'true' }, tolerations: [everything, ours] },
  }),
  pod({
    title: 'asks for real nodes in an annotated namespace',
    annotations: annotated,
    spec: { nodeSelector: { spoofed: 'false' } },
    becomes: hollow,
  }),
  pod({ title: 'is placed already', annotations: annotated, spec: hollow, becomes: hollow }),
  pod({
    title: 'tolerates the taint without naming the operator',
    annotations: annotated,
    spec: { tolerations: [{ key: 'spoofed', value: 'true', effect: 'NoSchedule' }] },
    becomes: { ...hollow, tolerations: [{ key: 'spoofed', value: 'true', effect: 'NoSchedule' }] },
  }),
  pod({
    title: 'rules hollow nodes out in an annotated namespace',
    annotations: annotated,
    spec: affinity({ matchExpressions: [ssd, off], matchFields: [onNode] }, { matchExpressions: [gpu] }),
    becomes: {
      ...hollow,
      ...affinity({ matchExpressions: [ssd], matchFields: [onNode] }, { matchExpressions: [gpu] }),
    },
  }),
  pod({
    title: 'asks for nothing but to be off hollow nodes in an annotated namespace',
    annotations: annotated,
    spec: affinity({ matchExpressions: [off] }, { matchExpressions: [gpu] }),
    becomes: { ...hollow, affinity: { nodeAffinity: {} } },
  }),
  pod({
    title: 'tolerates everything',
    annotations: plain,
    spec: { tolerations: [everything] },
    becomes: { ...real, tolerations: [everything] },
  }),
  pod({
    title: 'asks for hollow nodes where it may not be there, and so stays pending',
    annotations: plain,
    spec: hollow,
    becomes: { ...hollow, ...real },
  }),
  pod({
    title: 'has alternatives',
    annotations: plain,
    spec: affinity(
      { matchExpressions: [ssd] },
      { matchFields: [onNode] },
      { matchExpressions: [gpu], matchFields: [onNode] },
    ),
    becomes: affinity(
      { matchExpressions: [ssd, off] },
      { matchExpressions: [off], matchFields: [onNode] },
      { matchExpressions: [gpu, off], matchFields: [onNode] },
    ),
  }),
  pod({
    title: 'has an alternative that matches no node',
    annotations: plain,
    spec: affinity({}, { matchExpressions: [gpu] }),
    becomes: affinity({}, { matchExpressions: [gpu, off] }),
  }),
  pod({ title: 'matches no node', annotations: plain, spec: affinity({}), becomes: affinity({}) }),
  pod({ title: 'is kept off already', annotations: plain, spec: real, becomes: real }),
  pod({
    title: 'is kept off by a requirement that says more',
    annotations: plain,
    spec: affinity({ matchExpressions: [{ ...off, values: ['true', 'maybe'] }] }),
    becomes: affinity({ matchExpressions: [{ ...off, values: ['true', 'maybe'] }, off] }),
  }),
  pod({
    title: 'has affinities of other kinds',
    annotations: plain,
    spec: { affinity: { nodeAffinity: {} } },
    becomes: real,
  }),
  pod({ title: 'has an empty affinity', annotations: plain, spec: { affinity: {} }, becomes: real }),
  pod({
    title: 'stands for a static pod',
    annotations: annotated,
    metadata: { name: 'etcd-node-1', annotations: { 'kubernetes.io/config.mirror': 'e0c1' } },
    spec: { nodeName: 'node-1' },
    becomes: {},
  }),
];

const daemonSets: readonly PlacementCase[] = [
  daemonSet({ title: 'is of an annotated namespace', annotations: annotated, becomes: hollow, marked: true }),
  daemonSet({ title: 'is of a namespace without annotations', annotations: plain, becomes: real }),
  daemonSet({ title: 'is excluded as its pods are', annotations: excluding('^agent-$'), becomes: real }),
  daemonSet({
    title: 'has no name that its pods have',
    annotations: excluding('^agent$'),
    becomes: hollow,
    marked: true,
  }),
  daemonSet({
    title: 'has annotations',
    annotations: annotated,
    metadata: { name: 'agent', annotations: { a: 'b' } },
    becomes: hollow,
    marked: true,
  }),
  daemonSet({
    title: 'is placed by its user',
    annotations: annotated,
    spec: { nodeSelector: { spoofed: 'true' } },
    becomes: hollow,
  }),
  daemonSet({
    title: 'is placed already',
    annotations: annotated,
    metadata: { name: 'agent', ...marked },
    spec: hollow,
    becomes: hollow,
    marked: true,
  }),
  daemonSet({
    title: 'was placed before the namespace lost its annotation',
    annotations: plain,
    metadata: { name: 'agent', ...marked },
    spec: { nodeSelector: { disk: 'ssd', spoofed: 'true' }, tolerations: [everything, ours] },
    becomes: { nodeSelector: { disk: 'ssd' }, tolerations: [everything], ...real },
  }),
  daemonSet({
    title: 'was changed by its user since it was placed',
    annotations: plain,
    metadata: { name: 'agent', ...marked },
    becomes: real,
  }),
  daemonSet({
    title: 'was kept off before the namespace was annotated',
    annotations: annotated,
    spec: real,
    becomes: { ...hollow, affinity: { nodeAffinity: {} } },
    marked: true,
  }),
  daemonSet({
    title: 'asks for hollow nodes where it may not be there',
    annotations: plain,
    spec: hollow,
    becomes: { ...hollow, ...real },
  }),
  daemonSet({
    title: 'meets an invalid expression',
    annotations: excluding('*'),
    becomes: { refused: 'error parsing regexp: missing argument to repetition operator: `*`' },
  }),
];

export const placementCases = [byNamespace, byList, byGeneratedName, bySpec, daemonSets].flat();
