import type { EventNote } from '../action.ts';
import { type EncryptionState, isSameKey, type KeyState, type ResourceState } from '../keyState.ts';

const note = (reason: string, message: string): EventNote => ({ type: 'Normal', reason, message });

const added = (resource: string, { writeKey }: ResourceState): EventNote => {
  const suffix = writeKey === undefined ? 'without write key' : `with write key "${writeKey.name}"`;
  return note('EncryptionResourceAdded', `Resource "${resource}" was added to encryption config ${suffix}`);
};

const writeKeyChanges = (resource: string, before: KeyState, after: KeyState): readonly EventNote[] => {
  const triggered = (reason: string) => `Triggered key "${before.name}" for resource "${resource}" because ${reason}`;
  return [
    ...(before.externalReason === after.externalReason
      ? []
      : [note('EncryptionWriteKeyTriggeredExternal', triggered(after.externalReason))]),
    ...(before.internalReason === after.internalReason
      ? []
      : [note('EncryptionWriteKeyTriggeredInternal', triggered(after.internalReason))]),
    ...(isSameKey(before, after)
      ? []
      : [note('EncryptionWriteKeyChanged', `Write key "${before.name}" for resource "${resource}" changed`)]),
  ];
};

const writeChanges = (
  resource: string,
  before: KeyState | undefined,
  after: KeyState | undefined,
): readonly EventNote[] => {
  if (before !== undefined && after !== undefined) return writeKeyChanges(resource, before, after);
  if (after !== undefined) {
    return [note('EncryptionKeyPromoted', `Promoting key "${after.name}" for resource "${resource}" to write key`)];
  }
  if (before === undefined) return [];
  return [note('EncryptionKeyRemoved', `Removing key "${before.name}" for resource "${resource}" to write key`)];
};

const readChanges = (resource: string, before: number, after: number): readonly EventNote[] => {
  if (before === after) return [];
  const message = `Number of read keys for resource "${resource}" changed from ${before} to ${after}`;
  return [note('EncryptionReadKeysChanged', message)];
};

/** Events for the way from one state to another, with the reasons and messages of OpenShift's state controller. */
export const stateChanges = (current: EncryptionState, desired: EncryptionState): readonly EventNote[] => {
  const removed = [...current.keys()]
    .filter((resource) => !desired.has(resource))
    .map((resource) => note('EncryptionResourceRemoved', `Resource "${resource}" was removed from encryption config`));
  const others = [...desired].flatMap(([resource, after]) => {
    const before = current.get(resource);
    if (before === undefined) return [added(resource, after)];
    return [
      ...writeChanges(resource, before.writeKey, after.writeKey),
      ...readChanges(resource, before.readKeys.length, after.readKeys.length),
    ];
  });
  return [...removed, ...others];
};
