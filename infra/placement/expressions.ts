import { jsonPointer } from '../../admission/jsonPatch.ts';
import { longestName } from '../../admission/placement/excluded.ts';
import { offHollow, toleration } from '../../admission/placement/podSpec.ts';
import { excludedAnnotation, placedAnnotation, spoofed, spoofedAnnotation } from '../../common/hollowNodes.ts';
import { celAnnotation, celOf, celPatch } from './cel.ts';

/** A named expression of a policy, `variables.<name>` in those after it. */
export type Variable = { readonly name: string; readonly expression: string };

const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/** The annotation's value as a list of expressions, as `splitExpressions` of the webhook splits it. @param list CEL expression */
export const expressionsOf = (list: string): string =>
  `${list}.split(${list}.contains('\\n') ? '\\n' : ',').map(e, e.trim()).filter(e, e != '')`;

/**
 * `hollow`: whether a pod of this name belongs on hollow nodes. An error where an expression is invalid and no other one
 * matches: the request is refused then.
 * @param name CEL expression
 */
export const decision = (name: string): Variable[] => [
  { name: 'name', expression: name },
  { name: 'excluded', expression: celAnnotation('namespaceObject', excludedAnnotation) },
  { name: 'expressions', expression: expressionsOf('variables.excluded') },
  {
    name: 'hollow',
    expression: `${celAnnotation('namespaceObject', spoofedAnnotation)} == 'true' && size(variables.name) <= ${longestName} && !variables.expressions.exists(e, variables.name.matches(e))`,
  },
];

const isOffHollow = (requirement: string): string =>
  `${requirement}.key == ${celOf(offHollow.key)} && ${requirement}.operator == ${celOf(offHollow.operator)} && ${requirement}.?values.orValue([]) == ${celOf(offHollow.values)}`;

/** Whether a term, a CEL expression, rules hollow nodes out. */
const hasOffHollow = (term: string): string => `${term}.?matchExpressions.orValue([]).exists(r, ${isOffHollow('r')})`;

const isEmpty = (term: string): string =>
  `size(${term}.?matchExpressions.orValue([])) + size(${term}.?matchFields.orValue([])) == 0`;

/** Whether a term rules hollow nodes out, or all nodes. */
export const keepsOff = (term: string): string => `(${isEmpty(term)} || ${hasOffHollow(term)})`;

const isToleration = (given: string): string =>
  `${given}.?key.orValue('') == ${celOf(toleration.key)} && ${given}.?value.orValue('') == ${celOf(toleration.value)} && ${given}.?effect.orValue('') == ${celOf(toleration.effect)} && ${given}.?operator.orValue('Equal') in ['', 'Equal']`;

const requirements = (list: string): string =>
  `${list}.map(r, {'key': dyn(r.key), 'operator': dyn(r.operator), 'values': dyn(r.?values.orValue([]).map(v, v))})`;

/** CEL expressions of lists of patches; each does what the function of the same name of `admission/placement/` does. */
export interface PodSpecPatches {
  readonly variables: [Variable];
  readonly confine: string;
  readonly release: string;
  readonly keepOff: string;
}

/** @param spec CEL expression of a pod's spec @param pointer where the object has it */
export const podSpecPatches = (spec: string, pointer: string): PodSpecPatches => {
  const { key, value } = spoofed;
  const selector = `${spec}.?nodeSelector[?${celOf(key)}].orValue('')`;
  const path = `${pointer}/affinity/nodeAffinity/${required}`;
  const term = `'${path}/nodeSelectorTerms/' + string(i)`;
  const nodeSelector = { nodeSelectorTerms: [{ matchExpressions: [offHollow] }] };
  const add = (at: string, given: string): string =>
    celPatch({ op: 'add', path: celOf(`${pointer}${at}`), value: given });
  const removedSelector = celPatch({ op: 'remove', path: celOf(`${pointer}/nodeSelector/${key}`) });
  const otherTolerations = `${spec}.tolerations.filter(t, !(${isToleration('t')}))`;

  const confineParts = [
    `(!has(${spec}.nodeSelector) ? [${add('/nodeSelector', celOf({ [key]: value }))}]
  : ${selector} != ${celOf(value)} ? [${add(`/nodeSelector/${key}`, celOf(value))}] : [])`,
    `(!has(${spec}.tolerations) ? [${add('/tolerations', celOf([toleration]))}]
  : !${spec}.tolerations.exists(t, ${isToleration('t')}) ? [${add('/tolerations/-', celOf(toleration))}] : [])`,
    `(variables.terms.exists(t, ${hasOffHollow('t')} && size(t.?matchFields.orValue([])) == 0 && t.matchExpressions.all(r, ${isOffHollow('r')}))
  ? [${celPatch({ op: 'remove', path: celOf(path) })}]
  : variables.terms.transformList(i, t, ${hasOffHollow('t')}, ${celPatch({
    op: 'replace',
    path: `${term} + '/matchExpressions'`,
    value: requirements(`t.matchExpressions.filter(r, !(${isOffHollow('r')}))`),
  })}))`,
  ];
  const releaseParts = [
    `(${selector} == ${celOf(value)} ? [${removedSelector}] : [])`,
    `(has(${spec}.tolerations) && ${spec}.tolerations.exists(t, ${isToleration('t')}) ? [${celPatch({
      op: 'replace',
      path: celOf(`${pointer}/tolerations`),
      value: otherTolerations,
    })}] : [])`,
  ];
  return {
    variables: [
      { name: 'terms', expression: `${spec}.?affinity.?nodeAffinity.?${required}.?nodeSelectorTerms.orValue([])` },
    ],
    confine: confineParts.join('\n+ '),
    release: releaseParts.join('\n+ '),
    keepOff: `(!has(${spec}.affinity) ? [${add('/affinity', celOf({ nodeAffinity: { [required]: nodeSelector } }))}]
  : !has(${spec}.affinity.nodeAffinity) ? [${add('/affinity/nodeAffinity', celOf({ [required]: nodeSelector }))}]
  : !has(${spec}.affinity.nodeAffinity.${required}) ? [${add(`/affinity/nodeAffinity/${required}`, celOf(nodeSelector))}]
  : variables.terms.transformList(i, t, !(${isEmpty('t')}) && !${hasOffHollow('t')},
      has(t.matchExpressions)
        ? ${celPatch({ op: 'add', path: `${term} + '/matchExpressions/-'`, value: celOf(offHollow) })}
        : ${celPatch({ op: 'add', path: `${term} + '/matchExpressions'`, value: celOf([offHollow]) })}))`,
  };
};

const markPath = celOf(jsonPointer('metadata', 'annotations', placedAnnotation));

/** The annotation that tells what we put into a DaemonSet from what its user wrote: whether it is there, set, taken away. */
export const mark = {
  isSet: `object.metadata.?annotations[?${celOf(placedAnnotation)}].hasValue()`,
  set: `[has(object.metadata.annotations)
    ? ${celPatch({ op: 'add', path: markPath, value: celOf('true') })}
    : ${celPatch({ op: 'add', path: celOf('/metadata/annotations'), value: celOf({ [placedAnnotation]: 'true' }) })}]`,
  unset: `[${celPatch({ op: 'remove', path: markPath })}]`,
} as const;
