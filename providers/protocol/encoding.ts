import structPb from 'google-protobuf/google/protobuf/struct_pb.js';
import {
  Asset,
  isList,
  isMap,
  mapValues,
  type PropertyMap,
  type PropertyValue,
  Secret,
  Unknown,
  unknown,
} from './values.ts';

type Struct = structPb.Struct;

// The signatures of the engine's property encoding (pulumi/pulumi sdk/go/common/resource: sig.Key and its values).
const signatureKey = '4dabf18193072939515e22adb298388d';
const secretSignature = '1b47061264138c4ac30d75fd1eb44270';
const assetSignature = 'c44067f5952c0a294b673a41bacd8c17';
const archiveSignature = '0def7320c3a5731c473e5ecbe6d01bc7';
const outputSignature = 'd0e6a833031e9bbcd3f4e8bde6ca49a4';
const resourceSignature = '5cf8f73096256a8f31e491e813e4eb8e';
// One mark for each type that an unknown was declared with: string, boolean, number, list, map, asset, archive.
const unknownMark = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const unknownMarks = new Set([
  unknownMark,
  '1c4a061d-8072-4f0a-a4cb-0ff528b18fe7',
  '3eeb2bf0-c639-47a8-9e75-3b44932eb421',
  '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2',
  'dd056dcd-154b-4c76-9bd3-c8f88648b5ff',
  '030794c1-ac77-496b-92df-f27374a8bd58',
  'e48ece36-62e2-4504-bad9-02848725956a',
]);

type Encoded = null | boolean | number | string | Encoded[] | { [key: string]: Encoded };

const encodeValue = (value: PropertyValue): Encoded => {
  if (value instanceof Secret) return { [signatureKey]: secretSignature, value: encodeValue(value.element) };
  if (value instanceof Unknown) return unknownMark;
  if (value instanceof Asset) return encodeValue(value.encoded);
  if (isList(value)) return value.map(encodeValue);
  if (isMap(value)) return encodeMap(value);
  return value;
};

const encodeMap = (map: PropertyMap): { [key: string]: Encoded } =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, encodeValue(value)]));

const decodeOutput = (output: PropertyMap): PropertyValue => {
  const value = 'value' in output ? decodeValue(output.value ?? null) : unknown;
  return output.secret === true ? new Secret(value) : value;
};

const decodeValue = (value: PropertyValue): PropertyValue => {
  if (typeof value === 'string') return unknownMarks.has(value) ? unknown : value;
  if (isList(value)) return value.map(decodeValue);
  if (!isMap(value)) return value;
  switch (value[signatureKey]) {
    case secretSignature: {
      const element = decodeValue(value.value ?? null);
      return element instanceof Secret ? element : new Secret(element);
    }
    case outputSignature:
      return decodeOutput(value);
    case assetSignature:
    case archiveSignature:
      return new Asset(value);
    case resourceSignature:
      // What the engine itself sends to a provider that does not know references: the ID, or the URN of a component.
      return decodeValue(value.id || value.urn || null);
    default:
      return mapValues(value, decodeValue);
  }
};

/** Properties as the engine's messages carry them. */
export const encode = (map: PropertyMap): Struct => structPb.Struct.fromJavaScript(encodeMap(map));

/** Properties out of a message; empty where the message has none. */
export const decode = (struct: Struct | undefined): PropertyMap =>
  struct === undefined ? {} : mapValues(struct.toJavaScript() as PropertyMap, decodeValue);
