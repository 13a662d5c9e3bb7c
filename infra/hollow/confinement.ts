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
const pod = '(oldObject != null ? oldObject : object)';

/**
 * What roles cannot say: whoever tends hollow nodes writes to those, their leases and what is on them, and to no real one.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export const confinement = {
  failurePolicy: 'Fail',
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: ['nodes', 'nodes/status', 'pods', 'pods/status'],
        operations: ['CREATE', 'UPDATE', 'DELETE'],
      },
      {
        apiGroups: ['coordination.k8s.io'],
        apiVersions: ['v1'],
        resources: ['leases'],
        operations: ['CREATE', 'UPDATE', 'DELETE'],
      },
    ],
  },
  matchConditions: [
    { name: 'tends-hollow-nodes', expression: `request.userInfo.username in ${JSON.stringify(users)}` },
  ],
  validations: [
    {
      expression: ofResource('nodes', `${isHollow('object')} && ${isHollow('oldObject')}`),
      message: 'this account tends hollow nodes, and may not write to another one',
    },
    {
      expression: ofResource(
        'pods',
        `${pod}.spec.?nodeName.orValue('').matches('^hollow-.+-[0-9]+$') || ` +
          `(${pod}.metadata.namespace == '${hollowNamespace}' && ${pod}.metadata.?labels[?'app'].orValue('') == 'hollow-node')`,
      ),
      message: 'this account tends hollow nodes, and may not write to pods on another one',
    },
    {
      expression: ofResource('leases', `${metadata}.name.startsWith('hollow-')`),
      message: 'this account tends hollow nodes, and may not write to the lease of another one',
    },
  ],
};
