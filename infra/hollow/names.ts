import { hollowNamespace } from '../../common/hollowNodes.ts';

/** Where all of it is. */
export const namespace = hollowNamespace;

export const controllerAccount = { namespace, name: 'hollow-node-controller' };
export const kwokAccount = { namespace, name: 'kwok' };
