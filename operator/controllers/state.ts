import type { Action, EventNote } from '../action.ts';
import { degraded, degradedType, isFalse } from '../conditions.ts';
import { toConfigSecret } from '../configSecret.ts';
import { configOf } from '../encryptionConfig.ts';
import { component, configCopyName } from '../names.ts';
import type { Observation, Secret } from '../observation.ts';
import { isSameData } from '../referenceData.ts';
import type { Controller } from './controller.ts';
import { stateChanges } from './stateChanges.ts';

const name = 'EncryptionState';

const containsAll = (
  have: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean => Object.entries(wanted ?? {}).every(([key, value]) => have?.[key] === value);

const isApplied = (have: Secret | undefined, wanted: Secret): boolean =>
  have !== undefined &&
  isSameData(have.data ?? {}, wanted.data ?? {}) &&
  containsAll(have.metadata.annotations, wanted.metadata.annotations) &&
  (wanted.metadata.finalizers ?? []).every((finalizer) => have.metadata.finalizers?.includes(finalizer));

/** Over what is there, so that others' labels and annotations stay. */
const merged = (have: Secret | undefined, wanted: Secret): Secret => ({
  ...wanted,
  type: have?.type ?? wanted.type ?? 'Opaque',
  metadata: {
    ...have?.metadata,
    ...wanted.metadata,
    annotations: { ...have?.metadata.annotations, ...wanted.metadata.annotations },
    finalizers: [...new Set([...(have?.metadata.finalizers ?? []), ...(wanted.metadata.finalizers ?? [])])],
  },
});

const applied = (have: Secret | undefined, wanted: Secret, events: readonly EventNote[]): readonly Action[] =>
  isApplied(have, wanted)
    ? []
    : [{ controller: name, kind: 'applyConfigSecret', secret: merged(have, wanted), events }];

const copyOf = ({ metadata: { labels, annotations, finalizers }, type, data }: Secret): Secret => ({
  metadata: {
    name: configCopyName,
    namespace: component,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
  },
  ...(type && { type }),
  ...(data && { data }),
});

const writtenEvent = (have: Secret | undefined, { metadata }: Secret): EventNote => {
  const place = `Secret/${metadata.name} in ${metadata.namespace}`;
  return have === undefined
    ? { type: 'Normal', reason: 'SecretCreated', message: `Created ${place}` }
    : { type: 'Normal', reason: 'SecretUpdated', message: `Updated ${place}` };
};

const rollOut = ({ configSecret, configCopy }: Observation, wanted: Secret, changes: readonly EventNote[]) => {
  const copy = copyOf(wanted);
  return [
    ...applied(configSecret, wanted, [writtenEvent(configSecret, wanted), ...changes]),
    ...applied(configCopy, copy, [writtenEvent(configCopy, copy)]),
  ];
};

/** Without the copy nothing would ever reach the nodes, and so they would never converge. */
const restoredCopy = ({ configSecret, configCopy }: Observation): readonly Action[] => {
  if (configSecret === undefined || configCopy !== undefined) return [];
  const copy = copyOf(configSecret);
  return applied(undefined, copy, [writtenEvent(undefined, copy)]);
};

/**
 * Writes the configuration that is to be deployed next, and the copy that the installers take to the nodes. While API servers have not
 * converged, both are left as they are.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/state_controller.go
 */
export const stateController: Controller = {
  name,
  resting: [isFalse(degradedType(name))],
  failed: (message) => [degraded(name, message)],
  decide: ({ observation, settled }) => {
    const conditions = [isFalse(degradedType(name))];
    if (settled === undefined) return { actions: restoredCopy(observation), conditions };
    if (settled.config === undefined && observation.keySecrets.length === 0) return { actions: [], conditions };
    const wanted = toConfigSecret(configOf(settled.desired));
    return { actions: rollOut(observation, wanted, stateChanges(settled.current, settled.desired)), conditions };
  },
};
