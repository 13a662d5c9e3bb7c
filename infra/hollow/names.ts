import { hollowNamespace } from '../../common/hollowNodes.ts';

/** Where all of it is. */
export const namespace = hollowNamespace;

export const controllerAccount = { namespace, name: 'hollow-node-controller' };
export const kwokAccount = { namespace, name: 'kwok' };

/** What containers of ours may do: nothing but run. */
export const confined = {
  runAsUser: 65532,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Real nodes of every role. */
export const everyRealNode = [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }];
