import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StatusCode } from './grpc/status.ts';
import { associatedData, createKek, kekLength, sealOverhead } from './kek.ts';

const kek = createKek('key-1', randomBytes(kekLength));
const plaintext = Buffer.from('a seed of thirty-two bytes, says I');
const refused = expect.objectContaining({ name: 'StatusError', code: StatusCode.INVALID_ARGUMENT });

const errorOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

test('what a key seals it opens, and so does the same key made again', () => {
  const key = randomBytes(kekLength);
  const { seal } = createKek('key-2', key);
  const again = createKek('key-2', key);
  for (const length of [0, 1, 32, 996]) {
    const sealed = seal(plaintext.subarray(0, length));
    expect(again.open(sealed, again.annotations)).toEqual(plaintext.subarray(0, length));
  }
});

test('the same plaintext is never sealed alike', () => {
  const sealed = new Set(Array.from({ length: 600 }, () => kek.seal(plaintext).toString('hex')));
  expect(sealed.size).toBe(600);
  expect(kek.seal(plaintext)).toHaveLength(plaintext.length + sealOverhead);
});

describe('open refuses', () => {
  const sealed = kek.seal(plaintext);

  test('a change of any bit', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(errorOf(() => kek.open(changed, kek.annotations))).toEqual(refused);
    }
  });

  test('every cut, and an added byte', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(errorOf(() => kek.open(sealed.subarray(0, length), kek.annotations))).toEqual(refused);
    }
    expect(errorOf(() => kek.open(Buffer.concat([sealed, Buffer.alloc(1)]), kek.annotations))).toEqual(refused);
  });

  test("another key's ciphertext", () => {
    const other = createKek('key-1', randomBytes(kekLength));
    expect(errorOf(() => other.open(sealed, other.annotations))).toEqual(refused);
  });

  test('what the same key has sealed under another name', () => {
    const key = randomBytes(kekLength);
    const renamed = createKek('key-2', key);
    expect(errorOf(() => renamed.open(createKek('key-1', key).seal(plaintext), renamed.annotations))).toEqual(refused);
  });

  const [name = '', value = Buffer.alloc(0)] = [...kek.annotations][0] ?? [];
  test.each([
    ['no annotation', new Map<string, Uint8Array>()],
    ['another value', new Map([[name, Buffer.from('other')]])],
    ['another name', new Map([[`x.${name}`, value]])],
    ['one more', new Map([...kek.annotations, ['x.example.com', Buffer.alloc(0)]])],
  ])('annotations changed: %s', (_name, annotations) => {
    expect(errorOf(() => kek.open(sealed, annotations))).toEqual(refused);
  });
});

test('annotations are what kube-apiserver takes', () => {
  const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
  for (const name of kek.annotations.keys()) expect(name).toMatch(new RegExp(`^${label}(\\.${label})+$`));
});

describe('associatedData', () => {
  const one = Buffer.from('1');
  const two = Buffer.from('2');

  test('does not depend on the order of annotations', () => {
    const forth = new Map([
      ['a', one],
      ['b', two],
    ]);
    const back = new Map([...forth].reverse());
    expect(associatedData('id', back)).toEqual(associatedData('id', forth));
  });

  test('differs wherever a part begins or ends elsewhere', () => {
    const different = [
      associatedData('ida', new Map([['b', one]])),
      associatedData('id', new Map([['ab', one]])),
      associatedData('id', new Map([['a', Buffer.from('b1')]])),
      associatedData('id', new Map()),
    ].map((bytes) => bytes.toString('hex'));
    expect(new Set(different).size).toBe(different.length);
  });
});
