import type { PropertyMap } from '../../protocol/values.ts';
import { isMap } from '../../protocol/values.ts';
import { type KubeObject, listAt, stringAt } from '../objects.ts';

/** What an object's state says about the wait for it. */
export type Verdict =
  | { readonly state: 'ready' }
  /** Not yet: what is still missing. */
  | { readonly state: 'waiting'; readonly message: string }
  /** Never: waiting longer does not help. */
  | { readonly state: 'failed'; readonly message: string };

export const ready: Verdict = { state: 'ready' };
export const waiting = (message: string): Verdict => ({ state: 'waiting', message });
export const failed = (message: string): Verdict => ({ state: 'failed', message });

export type Condition = (live: KubeObject) => Verdict;

/** The entry of `status.conditions` of this type. */
export const statusCondition = (live: KubeObject, type: string): PropertyMap | undefined =>
  listAt(live, 'status', 'conditions')
    .filter(isMap)
    .find((condition) => condition.type === type);

export const isTrue = (condition: PropertyMap | undefined): boolean => condition?.status === 'True';

/** `<reason>: <message>` of a status condition, or of a container's state. */
export const reasonOf = (holder: PropertyMap | undefined): string =>
  [stringAt(holder, 'reason'), stringAt(holder, 'message')]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
