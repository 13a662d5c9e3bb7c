import structPb from 'google-protobuf/google/protobuf/struct_pb.js';
import { describe, expect, test } from 'vitest';
import { decode, encode } from './encoding.ts';
import { Asset, type PropertyMap, Secret, unknown } from './values.ts';

const signature = '4dabf18193072939515e22adb298388d';
const unknownText = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** What is on the wire, as plain JSON. */
const wire = (map: PropertyMap): unknown => encode(map).toJavaScript();
const received = (json: Record<string, structPb.JavaScriptValue>): PropertyMap =>
  decode(structPb.Struct.fromJavaScript(json));

test('plain values survive the way to the engine and back', () => {
  const map = {
    text: 'a',
    number: 1.5,
    yes: true,
    nothing: null,
    list: [1, ['b']],
    map: { deep: { er: 'c' } },
    empty: {},
  };
  expect(decode(encode(map))).toEqual(map);
});

test('a message without properties is an empty map', () => {
  expect(decode(undefined)).toEqual({});
});

describe('marked values', () => {
  test.each<[string, PropertyMap]>([
    ['a secret', { a: new Secret('hidden') }],
    ['a secret map', { a: new Secret({ b: ['c'] }) }],
    ['a secret inside a list', { a: [new Secret(1), 'plain'] }],
    ['an unknown', { a: unknown }],
    ['a secret that is not known yet', { a: new Secret(unknown) }],
  ])('%s comes back as it went', (_name, map) => {
    expect(decode(encode(map))).toEqual(map);
  });

  test('a secret is written with the signature that the engine looks for', () => {
    expect(wire({ a: new Secret('x') })).toEqual({
      a: { [signature]: '1b47061264138c4ac30d75fd1eb44270', value: 'x' },
    });
  });

  test('a secret in a secret is one secret', () => {
    const inner = { [signature]: '1b47061264138c4ac30d75fd1eb44270', value: 'x' };
    const outer = { [signature]: '1b47061264138c4ac30d75fd1eb44270', value: inner };
    expect(received({ a: outer })).toEqual({ a: new Secret('x') });
  });

  test('an unknown of any declared type is unknown', () => {
    expect(wire({ a: unknown })).toEqual({ a: unknownText });
    expect(received({ a: '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2' })).toEqual({ a: unknown });
  });

  test('an asset is handed back untouched', () => {
    const asset = { [signature]: 'c44067f5952c0a294b673a41bacd8c17', hash: 'abc', path: './file' };
    const map = received({ a: asset });
    expect(map.a).toBeInstanceOf(Asset);
    expect(wire(map)).toEqual({ a: asset });
  });

  test.each([
    ['known', { value: 'x' }, 'x'],
    ['secret', { value: 'x', secret: true }, new Secret('x')],
    ['unknown', { dependencies: ['urn:a'] }, unknown],
  ])('an output value that is %s is its value', (_name, fields, expected) => {
    expect(received({ a: { [signature]: 'd0e6a833031e9bbcd3f4e8bde6ca49a4', ...fields } })).toEqual({ a: expected });
  });

  test('a reference to a resource is its ID, to a component its URN', () => {
    const reference = { [signature]: '5cf8f73096256a8f31e491e813e4eb8e', urn: 'urn:a' };
    expect(received({ a: { ...reference, id: 'ns/name' }, b: reference })).toEqual({ a: 'ns/name', b: 'urn:a' });
  });
});
