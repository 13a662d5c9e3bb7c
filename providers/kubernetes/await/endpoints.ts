import { isMap } from '../../protocol/values.ts';
import { at, type KubeObject, listAt, mapAt, stringAt } from '../objects.ts';
import { ready, type Verdict, waiting } from './verdict.ts';

/** How long a service without any pod may stay so before it counts as meant (the official provider's settling time). */
export const settleMs = 10_000;

/** Whether traffic to a service ends at pods: not of a headless or external one, nor where others write its endpoints. */
export const targetsPods = (service: KubeObject): boolean =>
  stringAt(service, 'spec', 'type') !== 'ExternalName' &&
  stringAt(service, 'spec', 'clusterIP') !== 'None' &&
  Object.keys(mapAt(service, 'spec', 'selector')).length > 0;

/** Over all EndpointSlices of one service: there is a pod, and none that is not ready. */
export const endpointsReady = (slices: readonly KubeObject[]): Verdict => {
  const endpoints = slices.flatMap((slice) => listAt(slice, 'endpoints').filter(isMap));
  const unready = endpoints.filter((endpoint) => at(endpoint, 'conditions', 'ready') === false);
  if (endpoints.length === 0) return waiting('its selector finds no pods');
  return unready.length === 0 ? ready : waiting(`${unready.length} of its ${endpoints.length} pods are not ready`);
};
