import { spoofed } from '../../common/hollowNodes.ts';
import { type JsonPatchOperation, jsonPointer } from '../jsonPatch.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Toleration } from './objects.ts';

const { key, value, effect } = spoofed;
const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/** Lets a pod onto hollow nodes. */
export const toleration: Toleration = { key, operator: 'Equal', value, effect };

/** Keeps a pod off hollow nodes, also one that tolerates every taint. */
export const offHollow: NodeSelectorRequirement = { key, operator: 'NotIn', values: [value] };

const isOffHollow = ({ key: label, operator, values = [] }: NodeSelectorRequirement): boolean =>
  label === key && operator === 'NotIn' && values.length === 1 && values[0] === value;

const isToleration = (given: Toleration): boolean =>
  given.key === key &&
  given.value === value &&
  given.effect === effect &&
  (given.operator === undefined || given.operator === 'Equal');

const termsOf = (spec: PodSpec): readonly NodeSelectorTerm[] =>
  spec.affinity?.nodeAffinity?.[required]?.nodeSelectorTerms ?? [];

const isEmpty = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): boolean =>
  matchExpressions.length === 0 && matchFields.length === 0;

const withoutOffHollow = (term: NodeSelectorTerm): NodeSelectorTerm => ({
  ...term,
  matchExpressions: term.matchExpressions?.filter((requirement) => !isOffHollow(requirement)) ?? [],
});

const hasOffHollow = ({ matchExpressions = [] }: NodeSelectorTerm): boolean => matchExpressions.some(isOffHollow);

/** Takes out what {@link keepOff} put in, from a DaemonSet of a namespace that was annotated since. */
const allowHollow = (spec: PodSpec, pointer: string): readonly JsonPatchOperation[] => {
  const terms = termsOf(spec);
  const path = `${pointer}${jsonPointer('affinity', 'nodeAffinity', required)}`;
  // One of the alternatives asked for nothing else, so any node will do. Left empty it would rule out every node.
  if (terms.some((term) => hasOffHollow(term) && isEmpty(withoutOffHollow(term)))) return [{ op: 'remove', path }];
  return terms.flatMap((term, index) =>
    hasOffHollow(term)
      ? [
          {
            op: 'replace' as const,
            path: `${path}${jsonPointer('nodeSelectorTerms', index, 'matchExpressions')}`,
            value: withoutOffHollow(term).matchExpressions,
          },
        ]
      : [],
  );
};

/** Makes hollow nodes the only ones that this pod can be on. @param pointer where the object has the spec */
export const confine = (spec: PodSpec, pointer: string): readonly JsonPatchOperation[] => {
  const operations: JsonPatchOperation[] = [];
  if (spec.nodeSelector === undefined) {
    operations.push({ op: 'add', path: `${pointer}/nodeSelector`, value: { [key]: value } });
  } else if (spec.nodeSelector[key] !== value) {
    operations.push({ op: 'add', path: `${pointer}${jsonPointer('nodeSelector', key)}`, value });
  }
  if (spec.tolerations === undefined) {
    operations.push({ op: 'add', path: `${pointer}/tolerations`, value: [toleration] });
  } else if (!spec.tolerations.some(isToleration)) {
    operations.push({ op: 'add', path: `${pointer}/tolerations/-`, value: toleration });
  }
  return [...operations, ...allowHollow(spec, pointer)];
};

/** Takes out what {@link confine} put in. */
export const release = (spec: PodSpec, pointer: string): readonly JsonPatchOperation[] => {
  const operations: JsonPatchOperation[] = [];
  if (spec.nodeSelector?.[key] === value) {
    operations.push({ op: 'remove', path: `${pointer}${jsonPointer('nodeSelector', key)}` });
  }
  if (spec.tolerations?.some(isToleration)) {
    const others = spec.tolerations.filter((given) => !isToleration(given));
    operations.push({ op: 'replace', path: `${pointer}/tolerations`, value: others });
  }
  return operations;
};

/**
 * Rules hollow nodes out. Terms are alternatives, so each needs the requirement. A term that asks for nothing matches no node,
 * and a list without terms is refused by the API server: both stay as they are, lest they match more than before.
 * @param pointer where the object has the spec
 */
export const keepOff = (spec: PodSpec, pointer: string): readonly JsonPatchOperation[] => {
  const selector = { nodeSelectorTerms: [{ matchExpressions: [offHollow] }] };
  const { affinity } = spec;
  const add = (keys: readonly string[], given: unknown): readonly JsonPatchOperation[] => [
    { op: 'add', path: `${pointer}${jsonPointer(...keys)}`, value: given },
  ];
  if (affinity === undefined) return add(['affinity'], { nodeAffinity: { [required]: selector } });
  if (affinity.nodeAffinity === undefined) return add(['affinity', 'nodeAffinity'], { [required]: selector });
  if (affinity.nodeAffinity[required] === undefined) return add(['affinity', 'nodeAffinity', required], selector);
  return termsOf(spec).flatMap((term, index): readonly JsonPatchOperation[] => {
    if (isEmpty(term) || hasOffHollow(term)) return [];
    const path = `${pointer}${jsonPointer('affinity', 'nodeAffinity', required, 'nodeSelectorTerms', index)}`;
    return term.matchExpressions === undefined
      ? [{ op: 'add', path: `${path}/matchExpressions`, value: [offHollow] }]
      : [{ op: 'add', path: `${path}/matchExpressions/-`, value: offHollow }];
  });
};
