import { describe, expect, test } from 'vitest';
import { placedAnnotation } from '../../common/hollowNodes.ts';
import { applyJsonPatch } from '../jsonPatch.ts';
import { type PlacementCase, placementCases } from './cases.ts';
import type { DaemonSet, Pod } from './objects.ts';
import { placeDaemonSet, placePod } from './placePod.ts';

const placed = ({ kind, annotations, metadata, spec }: PlacementCase): { readonly first: Pod; readonly again: Pod } => {
  const namespace = { metadata: { name: 'test', annotations } };
  const asPod = ({ metadata: meta = {}, spec: { template = {} } = {} }: DaemonSet): Pod => ({
    metadata: meta,
    ...(template.spec && { spec: template.spec }),
  });
  if (kind === 'Pod') {
    const place = (pod: Pod): Pod => applyJsonPatch(pod, placePod(pod, namespace));
    const first = place({ metadata, spec });
    return { first, again: place(first) };
  }
  const place = (daemonSet: DaemonSet): DaemonSet => applyJsonPatch(daemonSet, placeDaemonSet(daemonSet, namespace));
  const first = place({ metadata, spec: { template: { spec } } });
  return { first: asPod(first), again: asPod(place(first)) };
};

describe.each(['Pod', 'DaemonSet'] as const)('a %s that', (kind) => {
  test.each(placementCases.filter((given) => given.kind === kind))('$title', (given) => {
    const { becomes } = given;
    if ('refused' in becomes) {
      expect(() => placed(given)).toThrow(becomes.refused);
      return;
    }
    const { nodeName } = given.spec;
    const { first, again } = placed(given);
    expect(first.spec).toEqual({ ...becomes, ...(nodeName !== undefined && { nodeName }) });
    expect(first.metadata?.annotations?.[placedAnnotation] === 'true').toBe(given.marked ?? false);
    expect(again).toEqual(first);
  });
});

test('a list without terms stays one, which the API server refuses', () => {
  const pod: Pod = {
    spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
  };
  expect(placePod(pod, {})).toEqual([]);
});
