import { Failure } from '../common/failure.ts';
import type { JsonPatchOperation } from './jsonPatch.ts';
import type { Namespace, Namespaces } from './namespaces/follow.ts';
import { type Handler, objectOf } from './review.ts';

/** Decides about an object as the API server sent it. @throws Failure where the object is to be refused */
export type Place = (object: object, namespace: Namespace) => readonly JsonPatchOperation[];

export interface PlacementRules {
  readonly placePod: Place;
  readonly placeDaemonSet: Place;
}

/** Places pods, and the template of DaemonSets, by what their namespace says. */
export const placementHandler =
  ({ placePod, placeDaemonSet }: PlacementRules, namespaces: Pick<Namespaces, 'get'>): Handler =>
  async ({ kind, subResource, namespace, object }, deadline) => {
    const places = new Map([
      ['Pod', placePod],
      ['DaemonSet', placeDaemonSet],
    ]);
    const place = places.get(kind.kind);
    if (place === undefined || subResource !== '') return {};
    const placed = objectOf(object, 'object');
    const where = await namespaces.get(namespace, deadline);
    try {
      return { patch: place(placed, where) };
    } catch (error) {
      if (error instanceof Failure) return { refused: error.message };
      throw error;
    }
  };
