import {
  containsSecret,
  isList,
  isMap,
  mapValues,
  type PropertyMap,
  type PropertyValue,
  reveal,
  revealMap,
  Secret,
  without,
} from '../protocol/values.ts';
import { apiVersionOf, type KubeObject, kindOf, stringAt } from './objects.ts';

const inputsKey = '__inputs';
const initialApiVersionKey = '__initialApiVersion';
const fieldManagerKey = '__fieldManager';

// The SDK cannot have dashes in names of properties; these are all that an object of the API has (in CRD schemas).
const dashedNames = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];
const underscored = new Map(dashedNames.map((name) => [name, name.replaceAll('-', '_')]));
const dashed = new Map(dashedNames.map((name) => [name.replaceAll('-', '_'), name]));

const renameKeys = (value: PropertyValue, names: ReadonlyMap<string, string>): PropertyValue => {
  if (value instanceof Secret) return new Secret(renameKeys(value.element, names));
  if (isList(value)) return value.map((element) => renameKeys(element, names));
  return isMap(value) ? renameMap(value, names) : value;
};

const renameMap = (map: PropertyMap, names: ReadonlyMap<string, string>): PropertyMap =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [names.get(key) ?? key, renameKeys(value, names)]));

const isDefinition = (map: PropertyMap): boolean => kindOf(map) === 'CustomResourceDefinition';

/** A program's inputs as the API server takes them: secrets laid open, names as they are there. */
export const objectFrom = (inputs: PropertyMap): KubeObject => {
  const object = revealMap(inputs);
  return isDefinition(object) ? renameMap(object, dashed) : object;
};

/** An object of the API server as a program sees it. */
export const propertiesFrom = (object: KubeObject): PropertyMap =>
  isDefinition(object) ? renameMap(object, underscored) : object;

const hide = (value: PropertyValue): Secret => (value instanceof Secret ? value : new Secret(reveal(value)));

/**
 * Marks what came out as secret where what went in was: map by map, and a list as a whole, since its elements may have moved.
 */
const copySecrets = (outs: PropertyMap, ins: PropertyMap): PropertyMap =>
  mapValues(outs, (out, key) => {
    const source = ins[key];
    if (source === undefined || !containsSecret(source)) return out;
    return isMap(out) && isMap(source) ? copySecrets(out, source) : hide(out);
  });

/** With all that must not be read in plain text marked so: what the inputs mark, and any Secret's data. */
export const markSecrets = (outs: PropertyMap, inputs: PropertyMap): PropertyMap => {
  const marked = copySecrets(outs, inputs);
  if (kindOf(outs) !== 'Secret' || apiVersionOf(outs) !== 'v1') return marked;
  return mapValues(marked, (value, key) => (key === 'data' || key === 'stringData' ? hide(value) : value));
};

/** What an operation leaves in the state beside the live object. */
export interface Checkpoint {
  /** As the program gave them, secrets marked. */
  readonly inputs: PropertyMap;
  readonly live: KubeObject;
  /** API version that the object was created with. */
  readonly initialApiVersion: string;
  readonly fieldManager: string;
}

/** Outputs in the official provider's shape: the live object and three properties of our own. */
export const outputsOf = ({ inputs, live, initialApiVersion, fieldManager }: Checkpoint): PropertyMap => ({
  ...markSecrets(propertiesFrom(live), inputs),
  [inputsKey]: markSecrets(inputs, inputs),
  [initialApiVersionKey]: initialApiVersion,
  [fieldManagerKey]: fieldManager,
});

/** Reads outputs that this or the official provider wrote; the field manager may be missing in old ones. */
export const checkpointFrom = (
  outputs: PropertyMap,
): Omit<Checkpoint, 'fieldManager'> & { readonly fieldManager: string | undefined } => {
  const inputs = outputs[inputsKey];
  const live = objectFrom(without(outputs, inputsKey, initialApiVersionKey, fieldManagerKey));
  return {
    inputs: isMap(inputs) ? inputs : {},
    live,
    initialApiVersion: stringAt(outputs, initialApiVersionKey) ?? apiVersionOf(live),
    fieldManager: stringAt(outputs, fieldManagerKey),
  };
};
