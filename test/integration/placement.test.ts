import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlacementCase, placementCases } from '../../admission/placement/cases.ts';
import { excludedLimits } from '../../admission/placement/excluded.ts';
import { listCases } from '../../admission/placement/listCases.ts';
import { excludedAnnotation, placedAnnotation } from '../../common/hollowNodes.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import {
  daemonSetOf,
  daemonSetsOf,
  dryRun,
  type PlacementCluster,
  placementOf,
  podOf,
  podsOf,
  refusalOf,
  startPlacementCluster,
} from './placementCluster.ts';

const annotated = { spoofed: 'true' };
const kept = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'spoofed', operator: 'NotIn', values: ['true'] }] }],
    },
  },
};
const toleration = { key: 'spoofed', operator: 'Equal', value: 'true', effect: 'NoSchedule' };
const oldInvalid = { ...annotated, [excludedAnnotation]: 'web(' };

let cluster: PlacementCluster;
let plain: string;
let hollow: string;
let old: string;
/** The namespace of each case. */
const namespaces = new Map<PlacementCase, string>();

beforeAll(async () => {
  cluster = await startPlacementCluster();
  plain = await cluster.namespace({});
  hollow = await cluster.namespace({ ...annotated, [excludedAnnotation]: '^real-' });
  old = await cluster.namespace(oldInvalid);
  await cluster.kube.create(daemonSetsOf(hollow), daemonSetOf({ name: 'early' }));
  for (const given of placementCases) namespaces.set(given, await cluster.namespace(given.annotations));
  await cluster.enforce();
});

afterAll(async () => {
  await cluster?.stop();
});

const placed = async (
  { kind }: PlacementCase,
  namespace: string,
  metadata: PropertyMap,
  spec: object,
): Promise<PropertyMap> =>
  kind === 'Pod'
    ? cluster.kube.create(dryRun(podsOf(namespace)), podOf(metadata, spec))
    : cluster.kube.create(dryRun(daemonSetsOf(namespace)), daemonSetOf(metadata, spec));

const specOf = ({ spec }: PropertyMap): object => Object(spec).template?.spec ?? Object(spec);

describe.each(['Pod', 'DaemonSet'] as const)('the API server gives a %s its place that', (kind) => {
  test.each(placementCases.filter((given) => given.kind === kind))('$title', async (given) => {
    const namespace = namespaces.get(given) ?? '';
    const { becomes, metadata, spec } = given;
    const first = placed(given, namespace, { ...metadata }, spec);
    if ('refused' in becomes) {
      expect(await refusalOf(first)).toContain(becomes.refused);
      return;
    }
    const made = await first;
    expect(placementOf(specOf(made))).toEqual(becomes);
    const { annotations } = Object(made.metadata);
    expect(annotations?.[placedAnnotation] === 'true').toBe(given.marked ?? false);
    const again = await placed(
      given,
      namespace,
      { ...metadata, annotations },
      { ...spec, ...placementOf(specOf(made)) },
    );
    expect(placementOf(specOf(again))).toEqual(becomes);
  });
});

describe('the API server judges a list', () => {
  const titled = listCases.map((given) => ({ title: JSON.stringify(given.list).slice(0, 60), ...given }));
  test.each(titled)('$title: $problem', async ({ list, problem }) => {
    const metadata = { name: 'judged', annotations: { [excludedAnnotation]: list } };
    const refusal = await refusalOf(cluster.kube.create(dryRun('/api/v1/namespaces'), { metadata }));
    expect(refusal).toEqual(problem === undefined ? undefined : expect.stringContaining(problem));
  });
});

test('an invalid list is refused with the reason in few words', async () => {
  const change = { metadata: { annotations: { [excludedAnnotation]: 'ok,web(' } } };
  const refusal = await refusalOf(cluster.kube.patch(dryRun(`/api/v1/namespaces/${plain}`), change));
  expect(refusal).toMatch(
    /denied request: .*spoofed_excluded_pods.* error parsing regexp: missing closing \): `web\(`$/,
  );
  expect(refusal?.length).toBeLessThan(400);
});

test("an annotation spoofed that is neither 'true' nor 'false' is refused", async () => {
  const change = { metadata: { annotations: { spoofed: 'True' } } };
  expect(await refusalOf(cluster.kube.patch(`/api/v1/namespaces/${plain}`, change))).toMatch(
    /annotation spoofed is 'true' or 'false', not 'True'$/,
  );
});

test('a list that was invalid before there were policies keeps its namespace from nothing but pods', async () => {
  const path = `/api/v1/namespaces/${old}`;
  const { metadata } = await cluster.kube.patch(path, { metadata: { labels: { team: 'a' } } });
  expect(metadata).toMatchObject({ labels: { team: 'a' }, annotations: oldInvalid });
  const refusal = await refusalOf(cluster.kube.create(dryRun(podsOf(old)), podOf({ name: 'db' })));
  expect(refusal).toMatch(/error parsing regexp: missing closing \): `web\(`$/);
  expect(refusal?.length).toBeLessThan(400);
  await cluster.kube.delete(path);
  expect(await cluster.kube.get(path)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
});

/** Updates a DaemonSet, changing nothing, until its template has this placement: the policies watch the namespace. */
const untilPlaced = async (path: string, placement: object): Promise<PropertyMap> => {
  for (;;) {
    const updated = await cluster.kube.patch(path, {});
    if (isDeepStrictEqual(placementOf(specOf(updated)), placement)) return updated;
  }
};

test('a DaemonSet that was made before the policies is placed by an update that changes nothing', async () => {
  const path = `${daemonSetsOf(hollow)}/early`;
  expect(placementOf(specOf((await cluster.kube.get(path)) ?? {}))).toEqual({});
  const placed = await cluster.kube.patch(path, {});
  expect(placementOf(specOf(placed))).toEqual({ nodeSelector: annotated, tolerations: [toleration] });
});

test('a DaemonSet follows its namespace at the next update, and keeps what its user wrote', async () => {
  const namespace = await cluster.namespace({});
  const path = `${daemonSetsOf(namespace)}/agent`;
  const nodeSelector = { disk: 'ssd' };
  await cluster.kube.create(daemonSetsOf(namespace), daemonSetOf({ name: 'agent' }, { nodeSelector }));
  const annotate = (spoofed: string | null): Promise<PropertyMap> =>
    cluster.kube.patch(`/api/v1/namespaces/${namespace}`, { metadata: { annotations: { spoofed } } });
  await annotate('true');
  const moved = await untilPlaced(path, {
    nodeSelector: { ...nodeSelector, ...annotated },
    tolerations: [toleration],
    affinity: { nodeAffinity: {} },
  });
  expect(moved.metadata).toMatchObject({ annotations: { [placedAnnotation]: 'true' } });
  await annotate(null);
  const back = await untilPlaced(path, { nodeSelector, affinity: kept });
  expect(Object(back.metadata).annotations).not.toHaveProperty(placedAnnotation);
});

test('a pod is kept off even if another policy gives it an affinity of its own later', async () => {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const nodeAffinity = 'Object.spec.affinity.nodeAffinity';
  const terms = `${nodeAffinity}.${required}.nodeSelectorTerms`;
  const affinity = `Object.spec.affinity{nodeAffinity: ${nodeAffinity}{${required}: ${nodeAffinity}.${required}{nodeSelectorTerms: [${terms}{matchExpressions: [${terms}.matchExpressions{key: 'gpu', operator: 'Exists'}]}]}}}`;
  // The API server takes policies in an order of its own: of several, some come after ours.
  const names = Array.from({ length: 6 }, (_, index) => `affinity-${index}`);
  for (const name of names) {
    const expression = `[JSONPatch{op: 'add', path: '/spec/affinity', value: ${affinity}}, JSONPatch{op: 'add', path: '/metadata/labels/${name}', value: ''}]`;
    await cluster.addPolicy({
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        },
        matchConditions: [{ name: 'only-here', expression: "object.metadata.name == 'late'" }],
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
      },
    });
  }
  const areIn = ({ metadata }: PropertyMap): boolean => names.every((name) => name in Object(metadata).labels);
  for (;;) {
    const pod = podOf({ name: 'late', labels: { app: 'test' } });
    const made = await cluster.kube.create(dryRun(podsOf(plain)), pod);
    if (!areIn(made)) continue;
    expect(JSON.stringify(placementOf(made.spec))).toMatch(
      /"gpu","operator":"Exists"\},\{"key":"spoofed","operator":"NotIn"/,
    );
    break;
  }
});

test.each([
  [
    'a pod of another namespace',
    () => plain,
    'web',
    'hollow-small-0',
    /^.*spec.nodeName hollow-small-0 is a hollow node/,
  ],
  ['an excluded pod', () => hollow, 'real-1', 'hollow-big-12', /spec.nodeName hollow-big-12 is a hollow node/],
  ['a pod that belongs on hollow nodes', () => hollow, 'web', 'node-1', /spec.nodeName node-1 is no hollow node/],
] as const)('%s cannot name the wrong node itself', async (_, namespace, name, nodeName, reason) => {
  const create = cluster.kube.create(dryRun(podsOf(namespace())), podOf({ name }, { nodeName }));
  expect(await refusalOf(create)).toMatch(reason);
});

test.each([
  ['hollow-big-0', () => hollow, 'web'],
  ['hollow-other-0', () => plain, 'web'],
  ['hollow-small-0x', () => plain, 'web'],
  ['node-1', () => hollow, 'real-1'],
] as const)('a pod can name the right node itself: %s', async (nodeName, namespace, name) => {
  await cluster.kube.create(dryRun(podsOf(namespace())), podOf({ name }, { nodeName }));
});

test('no pod of another namespace is bound to a hollow node, whatever it tolerates', async () => {
  const bind = (namespace: string, name: string): Promise<PropertyMap> =>
    cluster.kube.create(`${podsOf(namespace)}/web/binding`, {
      metadata: { name: 'web' },
      target: { kind: 'Node', name },
    });
  await cluster.kube.create(podsOf(plain), podOf({ name: 'web' }));
  await cluster.kube.create(podsOf(hollow), podOf({ name: 'web' }));
  expect(await refusalOf(bind(plain, 'hollow-big-0'))).toContain(
    `node hollow-big-0 is a hollow node, and namespace ${plain} does not have the annotation spoofed: "true"`,
  );
  await bind(plain, 'node-1');
  await bind(hollow, 'hollow-big-0');
});

test('the costliest list that is allowed delays a pod by less than two seconds', async () => {
  const list = `^${'a{0,99}'.repeat(excludedLimits.counts)}${'a*'.repeat(800)}b$\n`;
  const namespace = await cluster.namespace({ ...annotated, [excludedAnnotation]: list });
  const start = performance.now();
  const made = await cluster.kube.create(dryRun(podsOf(namespace)), podOf({ name: 'a'.repeat(253) }));
  expect(performance.now() - start).toBeLessThan(2_000);
  expect(placementOf(made.spec)).toMatchObject({ nodeSelector: annotated });
});
