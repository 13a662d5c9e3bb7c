import { groupLabel, hollowNamespace, spoofed } from '../../common/hollowNodes.ts';
import { controllerAccount, kwokAccount } from './names.ts';

const users = [controllerAccount, kwokAccount].map(
  ({ namespace, name }) => `system:serviceaccount:${namespace}:${name}`,
);

const isHollow = (node: string): string =>
  `(${node} == null || (has(${node}.metadata.labels) && '${groupLabel}' in ${node}.metadata.labels && ` +
  `${node}.metadata.labels[?'${spoofed.key}'].orValue('') == '${spoofed.value}'))`;

const ofResource = (resource: string, expression: string): string =>
  `request.resource.resource != '${resource}' || (${expression})`;

const metadata = '(object != null ? object : oldObject).metadata';

/** What such an account's write must keep to, each with what is said where it does not. */
const bounds = [
  {
    expression: ofResource('nodes', `${isHollow('object')} && ${isHollow('oldObject')}`),
    message: 'this account tends hollow nodes, and may not write to another one',
  },
  {
    expression: ofResource(
      'pods',
      `oldObject.spec.?nodeName.orValue('').matches('^hollow-.+-[0-9]+$') || ` +
        `(oldObject.metadata.namespace == '${hollowNamespace}' && oldObject.metadata.?labels[?'app'].orValue('') == 'hollow-node')`,
    ),
    message: 'this account tends hollow nodes, and may not write to pods on another one',
  },
  {
    expression: ofResource('leases', `${metadata}.name.startsWith('hollow-')`),
    message: 'this account tends hollow nodes, and may not write to the lease of another one',
  },
];

const rule = (apiGroup: string, resources: string[], operations: string[]) => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  resources,
  operations,
});

/**
 * What roles cannot say: whoever tends hollow nodes writes to those, their leases and what is on them, and to no real one.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export const confinement = {
  failurePolicy: 'Fail',
  matchConstraints: {
    resourceRules: [
      rule('', ['nodes', 'nodes/status'], ['CREATE', 'UPDATE', 'DELETE']),
      // No role lets them create a pod, and everybody's pods would be looked at.
      rule('', ['pods', 'pods/status'], ['UPDATE', 'DELETE']),
      rule('coordination.k8s.io', ['leases'], ['CREATE', 'UPDATE', 'DELETE']),
    ],
  },
  matchConditions: [
    { name: 'tends-hollow-nodes', expression: `request.userInfo.username in ${JSON.stringify(users)}` },
    // The API server makes an object ready for CEL once for all conditions, and three times for validations: with kwok's
    // thousands of pods, most of what the policy costs.
    { name: 'out-of-bounds', expression: `!(${bounds.map(({ expression }) => `(${expression})`).join(' && ')})` },
  ],
  validations: bounds,
};
