import { excludedAnnotation, placedAnnotation, spoofed, spoofedAnnotation } from '../../common/hollowNodes.ts';
import { type JsonPatchOperation, jsonPointer } from '../jsonPatch.ts';
import { isExcluded } from './excluded.ts';
import type { DaemonSet, Namespace, Pod } from './objects.ts';
import { confine, keepOff, release } from './podSpec.ts';

/** On pods that stand for a kubelet's static pods: they run already, and an API server refuses a change of theirs. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

const isHollow = (name: string, { metadata: { annotations = {} } = {} }: Namespace): boolean =>
  annotations[spoofedAnnotation] === 'true' && !isExcluded(name, annotations[excludedAnnotation] ?? '');

/**
 * What makes a pod land where its namespace wants it, at its creation. Its name decides or, where the API server has not
 * chosen that yet, the `generateName` that its controller gave.
 * @throws Failure as {@link isExcluded}: the pod is to be refused.
 */
export const placePod = ({ metadata = {}, spec = {} }: Pod, namespace: Namespace): readonly JsonPatchOperation[] => {
  if (metadata.annotations?.[mirrorAnnotation] !== undefined) return [];
  const name = metadata.name || metadata.generateName || '';
  return isHollow(name, namespace) ? confine(spec, '/spec') : keepOff(spec, '/spec');
};

/**
 * The same for the template of a DaemonSet, at its creation and each update: its controller reads there which nodes get a
 * pod at all. What an earlier update put in is taken out when the namespace has changed its mind; an annotation tells that
 * from what the user wrote.
 * @throws Failure as {@link placePod}.
 */
export const placeDaemonSet = (
  { metadata = {}, spec: { template } = {} }: DaemonSet,
  namespace: Namespace,
): readonly JsonPatchOperation[] => {
  const name = metadata.name ? `${metadata.name}-` : (metadata.generateName ?? '');
  const spec = template?.spec ?? {};
  const pointer = '/spec/template/spec';
  const isMarked = metadata.annotations?.[placedAnnotation] !== undefined;
  const mark = jsonPointer('metadata', 'annotations', placedAnnotation);
  if (!isHollow(name, namespace)) {
    const undone: readonly JsonPatchOperation[] = [{ op: 'remove', path: mark }, ...release(spec, pointer)];
    return [...(isMarked ? undone : []), ...keepOff(spec, pointer)];
  }
  const placed = confine(spec, pointer);
  if (isMarked || spec.nodeSelector?.[spoofed.key] === spoofed.value) return placed;
  return [
    metadata.annotations === undefined
      ? { op: 'add', path: '/metadata/annotations', value: { [placedAnnotation]: 'true' } }
      : { op: 'add', path: mark, value: 'true' },
    ...placed,
  ];
};
