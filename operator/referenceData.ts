/** Values of a referenced secret or config map in base64, by `<object's name>_<data key>`. */
export type ReferenceData = Readonly<Record<string, string>>;

export const noReferenceData: ReferenceData = {};

/** @throws where one part is empty: then it could not be told apart again */
export const referenceKey = (objectName: string, dataKey: string, value: string): string => {
  if (objectName === '' || dataKey === '' || value === '') {
    throw new Error('referenceName, dataKey, and value must not be empty');
  }
  if (objectName.includes('_')) throw new Error(`referenceName name "${objectName}" must not contain underscores`);
  return `${objectName}_${dataKey}`;
};

/** `<object's name>_<data key>` as found in a secret. @throws where it is none */
export const parseReferenceKey = (rawKey: string, value: string): string => {
  const separator = rawKey.indexOf('_');
  if (separator < 0) throw new Error(`invalid combined key "${rawKey}": expected format {referenceName}_{dataKey}`);
  return referenceKey(rawKey.slice(0, separator), rawKey.slice(separator + 1), value);
};

export const isSameData = (one: ReferenceData, other: ReferenceData): boolean => {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
};

/** A copy in the order of keys, without those of no value. */
export const sorted = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).toSorted(([one], [other]) => (one < other ? -1 : 1)));
