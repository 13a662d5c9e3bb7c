import { excludedLimits, tornRepetition } from '../../admission/placement/excluded.ts';
import { mirrorAnnotation } from '../../admission/placement/placePod.ts';
import { excludedAnnotation, hollowNodePrefix, spoofed, spoofedAnnotation } from '../../common/hollowNodes.ts';
import { celAnnotation, celMutation, celOf } from './cel.ts';
import { decision, expressionsOf, keepsOff, mark, podSpecPatches } from './expressions.ts';

/** Without a label, an object that a killed `up` left behind could not be told from a stranger's. */
const labels = { app: 'hollow-nodes' };

const rule = (apiGroup: string, resources: string[], operations: string[]) => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  resources,
  operations,
});

const isMirror = `object.metadata.?annotations[?${celOf(mirrorAnnotation)}].hasValue()`;

const podPatches = podSpecPatches('object.spec', '/spec');

/** Places pods as `placePod` of the webhook does. */
export const podPlacement = {
  metadata: { name: 'understudy-pod-placement', labels },
  spec: {
    failurePolicy: 'Fail',
    // Also after a webhook that gave the pod an affinity of its own.
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: { resourceRules: [rule('', ['pods'], ['CREATE'])] },
    variables: [
      // Not a condition, for which the API server makes each pod ready for CEL once more.
      { name: 'mirror', expression: isMirror },
      ...decision(
        "object.metadata.?name.orValue('') != '' ? object.metadata.name : object.metadata.?generateName.orValue('')",
      ),
      ...podPatches.variables,
      { name: 'confine', expression: podPatches.confine },
      { name: 'keepOff', expression: podPatches.keepOff },
    ],
    mutations: [celMutation('variables.mirror ? [] : variables.hollow ? variables.confine : variables.keepOff')],
  },
};

const template = 'object.spec.template.spec';
const templatePatches = podSpecPatches(template, '/spec/template/spec');
const hasSelector = `${template}.?nodeSelector[?${celOf(spoofed.key)}].orValue('') == ${celOf(spoofed.value)}`;

/** Places DaemonSets as `placeDaemonSet` of the webhook does. */
export const daemonSetPlacement = {
  metadata: { name: 'understudy-daemonset-placement', labels },
  spec: {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: { resourceRules: [rule('apps', ['daemonsets'], ['CREATE', 'UPDATE'])] },
    variables: [
      ...decision(
        "object.metadata.?name.orValue('') != '' ? object.metadata.name + '-' : object.metadata.?generateName.orValue('')",
      ),
      ...templatePatches.variables,
      { name: 'placed', expression: mark.isSet },
      {
        name: 'confine',
        expression: `(variables.placed || ${hasSelector} ? [] : ${mark.set})\n+ ${templatePatches.confine}`,
      },
      {
        name: 'keepOff',
        expression: `(variables.placed ? ${mark.unset}\n+ ${templatePatches.release} : [])\n+ ${templatePatches.keepOff}`,
      },
    ],
    mutations: [celMutation('variables.hollow ? variables.confine : variables.keepOff')],
  },
};

const { characters, counts, costly } = excludedLimits;

const previous = (annotation: string): string => `(oldObject == null ? '' : ${celAnnotation('oldObject', annotation)})`;

const isNew = (annotation: string): string => `${celAnnotation('object', annotation)} != ${previous(annotation)}`;

/**
 * Refuses annotations of namespaces that nobody could follow, when they are set: one that is there already must not keep
 * its namespace from being changed or deleted.
 */
export const annotationRules = {
  metadata: { name: 'understudy-placement-annotations', labels },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [rule('', ['namespaces'], ['CREATE', 'UPDATE'])] },
    variables: [
      { name: 'excluded', expression: celAnnotation('object', excludedAnnotation) },
      { name: 'changed', expression: isNew(excludedAnnotation) },
      { name: 'expressions', expression: expressionsOf('variables.excluded') },
      {
        name: 'costly',
        expression: `size(variables.excluded) > ${characters} ? [] : variables.expressions.filter(e, e.matches(${celOf(costly)}))`,
      },
      { name: 'counts', expression: "size(variables.excluded.split('{')) - 1" },
      {
        // Matching reports what is wrong with an expression; what it matches is no matter. The failure's message quotes
        // this name.
        name: excludedAnnotation,
        expression: `!variables.changed || size(variables.excluded) > ${characters} || variables.counts > ${counts} || size(variables.costly) > 0 ? true : variables.expressions.all(e, ''.matches(e) ? true : true)`,
      },
    ],
    validations: [
      {
        expression: `${isNew(spoofedAnnotation)} ? object.metadata.?annotations[?${celOf(spoofedAnnotation)}].orValue('false') in ['true', 'false'] : true`,
        messageExpression: `"annotation ${spoofedAnnotation} is 'true' or 'false', not '" + ${celAnnotation('object', spoofedAnnotation)} + "'"`,
      },
      {
        expression: `!variables.changed || size(variables.excluded) <= ${characters}`,
        messageExpression: `"annotation ${excludedAnnotation} has " + string(size(variables.excluded)) + " characters, ${characters} at the most"`,
      },
      {
        expression: `!variables.changed || variables.counts <= ${counts}`,
        messageExpression: `"annotation ${excludedAnnotation} has " + string(variables.counts) + " counted repetitions, ${counts} at the most"`,
      },
      {
        expression: `!variables.changed || !variables.excluded.matches(${celOf(tornRepetition)})`,
        messageExpression: `"annotation ${excludedAnnotation} has a comma in a repetition: write one expression a line"`,
      },
      {
        expression: '!variables.changed || size(variables.costly) == 0',
        messageExpression: `"annotation ${excludedAnnotation} counts repetitions of a group, or 100 and more of anything, in '" + variables.costly[0] + "': use * or +"`,
      },
      {
        expression: `variables.${excludedAnnotation}`,
        messageExpression: `"annotation ${excludedAnnotation} has an invalid expression"`,
      },
    ],
  },
};

const isAnnotated = `${celAnnotation('namespaceObject', spoofedAnnotation)} == 'true'`;

/** CEL: whether this is the name of a node of these groups. */
const isHollowNode = (name: string, groups: readonly string[]): string => {
  const prefixes = groups.map((group) => hollowNodePrefix(group).replaceAll('.', '\\.'));
  return groups.length === 0 ? 'false' : `${name}.matches(${celOf(`^(?:${prefixes.join('|')})[0-9]+$`)})`;
};

const [{ expression: terms }] = podPatches.variables;

/** Whether a pod is as {@link podPlacement} makes those that belong on hollow nodes. @param list CEL expression of its node selector terms */
const isConfined = (list: string): string =>
  `object.spec.?nodeSelector[?${celOf(spoofed.key)}].orValue('') == ${celOf(spoofed.value)} && !${list}.exists(t, ${keepsOff('t')})`;

/**
 * Refuses pods that name the wrong kind of node themselves, so that no scheduler looks at selector and affinity. What
 * {@link podPlacement} made of the pod tells where it belongs.
 */
const nodeNameRules = (groups: readonly string[], placePods: boolean) => {
  const namesItsNode = "object.spec.?nodeName.orValue('') != ''";
  const onHollowNode = isHollowNode('object.spec.nodeName', groups);
  return {
    metadata: { name: 'understudy-placement-node-name', labels },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [rule('', ['pods'], ['CREATE'])] },
      matchConditions: [
        // No pod gets here that the policy has not placed; a webhook may have been down. The API server makes a pod ready for
        // CEL three times for validations, and once for conditions.
        placePods
          ? {
              name: 'names-another-node-than-it-was-placed-on',
              expression: `${namesItsNode} && ${onHollowNode} != (${isConfined(terms)})`,
            }
          : { name: 'names-its-node', expression: namesItsNode },
      ],
      variables: [
        ...podPatches.variables,
        { name: 'hollowNode', expression: onHollowNode },
        { name: 'placed', expression: `${isAnnotated} && ${isConfined('variables.terms')}` },
      ],
      validations: [
        {
          expression: '!variables.hollowNode || variables.placed',
          messageExpression: `"spec.nodeName " + object.spec.nodeName + " is a hollow node, where only pods of a namespace with the annotation ${spoofedAnnotation}: \\"true\\" can be, and of those none that ${excludedAnnotation} matches"`,
        },
        {
          expression: `variables.hollowNode || !variables.placed || ${isMirror}`,
          messageExpression: `"spec.nodeName " + object.spec.nodeName + " is no hollow node, where all pods of namespace " + namespaceObject.metadata.name + " belong but those that ${excludedAnnotation} matches"`,
        },
      ],
    },
  };
};

/**
 * Refuses to bind a pod of a namespace that is not annotated to a hollow node: one that was made before there were policies,
 * or that came past the webhook.
 */
const bindingRules = (groups: readonly string[]) => ({
  metadata: { name: 'understudy-placement-binding', labels },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [rule('', ['pods/binding', 'bindings'], ['CREATE'])] },
    validations: [
      {
        expression: `${isAnnotated} || !${isHollowNode('object.target.name', groups)}`,
        messageExpression: `"node " + object.target.name + " is a hollow node, and namespace " + namespaceObject.metadata.name + " does not have the annotation ${spoofedAnnotation}: \\"true\\""`,
      },
    ],
  },
});

/** Policies that change objects: from Kubernetes 1.36 on. */
export const mutatingPolicies = [podPlacement, daemonSetPlacement] as const;

/**
 * Policies that refuse objects: from Kubernetes 1.30 on.
 * @param groups names of the groups of hollow nodes
 * @param placePods whether {@link mutatingPolicies} are there, too
 */
export const validatingPolicies = (groups: readonly string[], placePods: boolean) =>
  [annotationRules, nodeNameRules(groups, placePods), bindingRules(groups)] as const;

interface Policy {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** What puts a mutating policy into force, everywhere. */
export const bindingOf = ({ metadata }: Policy) => ({
  metadata: { ...metadata },
  spec: { policyName: metadata.name },
});

/** What puts a validating policy into force, everywhere. */
export const validatingBindingOf = ({ metadata }: Policy) => ({
  metadata: { ...metadata },
  spec: { policyName: metadata.name, validationActions: ['Deny'] },
});
