import { diffMaps } from '../protocol/diff.ts';
import { formatPath, type PropertyPath, parsePath } from '../protocol/path.ts';
import type { DiffCall, DiffResult } from '../protocol/provider.ts';
import { isMap, mapValues, type PropertyMap, type PropertyValue, without } from '../protocol/values.ts';
import { isAutonamed } from './annotations.ts';
import { checkpointFrom, objectFrom } from './checkpoint.ts';
import { type KubeObject, kindOf, mapAt, nameOf, namespaceOf, withAt, withoutAt } from './objects.ts';
import { type Mutability, replaces } from './replaceRules.ts';

/** Read-only fields; inputs that hold them mean nothing by it. */
const readOnly = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'uid',
];

const declared = (inputs: PropertyMap): KubeObject => {
  const object = without(objectFrom(inputs), 'status');
  return isMap(object.metadata) ? { ...object, metadata: without(object.metadata, ...readOnly) } : object;
};

const encode = (value: PropertyValue): PropertyValue =>
  typeof value === 'string' ? Buffer.from(value).toString('base64') : value;

/** A Secret's `stringData` as the `data` that the server makes of it: so the official provider keeps inputs. */
const withDataOnly = (object: KubeObject): KubeObject => ({
  ...without(object, 'stringData'),
  data: { ...mapAt(object, 'data'), ...mapValues(mapAt(object, 'stringData'), encode) },
});

/** Both in one form, where only one of them has `stringData`. */
const comparable = (before: KubeObject, after: KubeObject): readonly [KubeObject, KubeObject] =>
  kindOf(after) === 'Secret' && 'stringData' in before !== 'stringData' in after
    ? [withDataOnly(before), withDataOnly(after)]
    : [before, after];

/** As the server places it: in a namespace whether the inputs name one or not, or in none whatever they name. */
const placed = (object: KubeObject, namespace: string | undefined): KubeObject =>
  namespace === undefined
    ? withoutAt(object, ['metadata', 'namespace'])
    : withAt(object, ['metadata', 'namespace'], namespace);

const startsWith = (path: PropertyPath, prefix: PropertyPath): boolean =>
  prefix.every((part, index) => part === '*' || part === path[index]);

/** What an update would change, and whether it must replace the object. */
export const diffObjects = (
  call: Pick<DiffCall, 'oldInputs' | 'oldOutputs' | 'inputs' | 'ignoreChanges'>,
  isPatch: boolean,
  mutability: Mutability,
): DiffResult => {
  const { live } = checkpointFrom(call.oldOutputs);
  const wanted = declared(call.inputs);
  const liveNamespace = namespaceOf(live);
  const namespace = liveNamespace === undefined ? undefined : (namespaceOf(wanted) ?? liveNamespace);
  const old = placed(withAt(declared(call.oldInputs), ['metadata', 'name'], nameOf(live)), liveNamespace);
  const [before, after] = comparable(old, placed(wanted, namespace));

  const ignored = call.ignoreChanges.map(parsePath);
  const changes = diffMaps(before, after).filter(({ path }) => !ignored.some((prefix) => startsWith(path, prefix)));
  const result = changes.map(
    (change) =>
      [formatPath(change.path), { kind: change.kind, replaces: replaces(change, after, isPatch, mutability) }] as const,
  );
  const sameName = nameOf(after) === nameOf(live) && namespace === liveNamespace;
  return {
    changes: new Map(result),
    deleteBeforeReplace: result.some(([, change]) => change.replaces) && sameName && !isAutonamed(wanted),
  };
};
