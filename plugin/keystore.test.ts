import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeystoreError, parseKeystore, renderKeystore } from './keystore.ts';

const seed = randomBytes(32);
const keystore = {
  seed,
  versions: new Map([
    [0, 1],
    [1, 3],
    [12, 2147483647],
  ]),
};
const text = renderKeystore(keystore);
const encoded = seed.toString('base64');

test('a keystore comes back as it was written', () => {
  expect(parseKeystore(text)).toEqual(keystore);
  expect(JSON.parse(text)).toEqual({ seed: encoded, versions: { 0: 1, 1: 3, 12: 2147483647 } });
  expect(parseKeystore(`{"seed":"${encoded}","versions":{}}`)).toEqual({ seed, versions: new Map() });
});

describe('what is refused', () => {
  test('every cut', () => {
    // The last two characters are the closing brace and a line's end: without the latter nothing is lost.
    for (let length = 0; length < text.length - 1; length++) {
      expect(() => parseKeystore(text.slice(0, length)), `${length}`).toThrow(KeystoreError);
    }
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['another kind of file', '{"kind": "Secret"}', 'not a keystore'],
    ['no object', '[]', 'not a keystore'],
    ['null', 'null', 'not a keystore'],
    ['a list of keys', '{"kind":"understudy-kms-keystore","version":1,"keks":[]}', 'an earlier plugin'],
    ['more than it should have', `{"seed":"${encoded}","versions":{},"x":1}`, 'not a keystore'],
    ['no versions', `{"seed":"${encoded}"}`, 'no list of versions'],
    ['versions in a list', `{"seed":"${encoded}","versions":[1]}`, 'no list of versions'],
    ['a seed that is no text', '{"seed":1,"versions":{}}', 'its seed'],
    ['a seed that is too short', `{"seed":"${seed.subarray(1).toString('base64')}","versions":{}}`, 'its seed'],
    ['a seed with something else in it', `{"seed":"!${encoded}","versions":{}}`, 'its seed'],
    ['a version of no number', `{"seed":"${encoded}","versions":{"one":1}}`, 'no key number'],
    ['a version of a negative number', `{"seed":"${encoded}","versions":{"-1":1}}`, 'no key number'],
    ['a version of a number beyond bounds', `{"seed":"${encoded}","versions":{"2147483648":1}}`, 'no key number'],
    ['version 0', `{"seed":"${encoded}","versions":{"1":0}}`, 'the version of key 1'],
    ['half a version', `{"seed":"${encoded}","versions":{"1":1.5}}`, 'the version of key 1'],
    ['a version that is a text', `{"seed":"${encoded}","versions":{"1":"2"}}`, 'the version of key 1'],
    ['a version beyond bounds', `{"seed":"${encoded}","versions":{"1":2147483648}}`, 'the version of key 1'],
  ])('%s', (_name, content, reason) => {
    expect(() => parseKeystore(content)).toThrow(KeystoreError);
    expect(() => parseKeystore(content)).toThrow(reason);
  });

  test('an error never quotes the seed', () => {
    for (const spoilt of [text.slice(0, -20), text.replace(encoded, `${encoded.slice(0, -1)}!`)]) {
      let message = '';
      try {
        parseKeystore(spoilt);
      } catch (error) {
        message = String(error);
      }
      expect(message).not.toBe('');
      expect(message).not.toContain(encoded.slice(0, 8));
    }
  });
});
