import { timestampText } from '../../common/timestamp.ts';
import { isMap, type PropertyMap } from '../protocol/values.ts';
import { type KubeObject, listAt, mapAt, stringAt } from './objects.ts';

/** Who creates objects; the official provider's name for it. */
export const creationManager = 'pulumi-kubernetes';

const entriesOf = (object: KubeObject): readonly PropertyMap[] =>
  listAt(object, 'metadata', 'managedFields').filter(isMap);

/** Both sets of fields; in this format a set is a tree of keys. */
const union = (left: PropertyMap, right: PropertyMap): PropertyMap => ({
  ...left,
  ...Object.fromEntries(
    Object.entries(right).map(([key, value]) => [key, isMap(value) ? union(mapAt(left, key), value) : value]),
  ),
});

/** Entries that become ours with the first apply: the creation, and what a person did with kubectl. */
const isTakenOver = (entry: PropertyMap): boolean => {
  if ('subresource' in entry && entry.subresource !== '') return false;
  const manager = stringAt(entry, 'manager') ?? '';
  const created = [creationManager, 'pulumi-resource-kubernetes', 'before-first-apply'].includes(manager);
  return manager.startsWith('kubectl') || (created && entry.operation === 'Update');
};

/**
 * The managed fields of an object after `manager` has taken over what its creation set: without that, server-side apply
 * cannot remove a field that was there from the start.
 * @returns undefined where nothing is to be taken over.
 */
export const takeOver = (object: KubeObject, manager: string): readonly PropertyMap[] | undefined => {
  const entries = entriesOf(object);
  const taken = entries.filter(isTakenOver);
  if (taken.length === 0) return undefined;
  const isOurs = (entry: PropertyMap): boolean => entry.manager === manager && entry.operation === 'Apply';
  const merged = [...entries.filter(isOurs), ...taken].reduce<PropertyMap>(
    (fields, entry) => union(fields, mapAt(entry, 'fieldsV1')),
    {},
  );
  const ours: PropertyMap = {
    manager,
    operation: 'Apply',
    apiVersion: stringAt(object, 'apiVersion') ?? '',
    fieldsType: 'FieldsV1',
    fieldsV1: merged,
    time: timestampText(Date.now()),
  };
  return [...entries.filter((entry) => !taken.includes(entry) && !isOurs(entry)), ours];
};

/** Whether an earlier run of ours, or of the official provider, created the object. */
export const isCreatedByUs = (object: KubeObject): boolean =>
  entriesOf(object).some(
    (entry) => entry.manager === creationManager && entry.operation === 'Update' && !entry.subresource,
  );

/**
 * Whether another manager than `manager` has set the field at this path of plain keys, and `manager` has not.
 */
export const belongsToOthers = (object: KubeObject, path: readonly string[], manager: string): boolean => {
  const owns = (entry: PropertyMap): boolean =>
    path.reduce<PropertyMap | undefined>(
      (fields, key) => {
        const inner = fields?.[`f:${key}`];
        return isMap(inner) ? inner : undefined;
      },
      mapAt(entry, 'fieldsV1'),
    ) !== undefined;
  const owners = entriesOf(object).filter(owns);
  return owners.length > 0 && owners.every((entry) => entry.manager !== manager && entry.manager !== creationManager);
};
