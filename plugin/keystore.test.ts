import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { kekLength, keyIdOf } from './kek.ts';
import { createKeyring } from './keyring.ts';
import { KeystoreError, parseKeystore, renderKeystore, type StoredKek, type StoredKeks } from './keystore.ts';

const newKek = (): StoredKek => ({ key: randomBytes(kekLength), createdAt: '2026-11-21T05:00:00.000Z' });
const three: StoredKeks = [newKek(), newKek(), newKek()];
const text = renderKeystore(three);

test('a keystore comes back as it was written', () => {
  expect(parseKeystore(text)).toEqual(three);
});

test('the youngest key writes, all keys read', () => {
  const keyring = createKeyring(three);
  expect(keyring.writeKek.keyId).toBe(keyIdOf(three[2]?.key ?? Buffer.alloc(0)));
  for (const { key } of three) {
    const kek = keyring.find(keyIdOf(key));
    expect(kek?.open(kek.seal(Buffer.from('x')), kek.annotations)).toEqual(Buffer.from('x'));
  }
  expect(keyring.find('kek-of-somebody-else')).toBeUndefined();
  expect(createKeyring([three[0]]).writeKek.keyId).toBe(keyIdOf(three[0].key));
});

describe('what is refused', () => {
  test('every cut', () => {
    // The last two characters are the closing brace and a line's end: without the latter nothing is lost.
    for (let length = 0; length < text.length - 1; length++) {
      expect(() => parseKeystore(text.slice(0, length)), `${length}`).toThrow(KeystoreError);
    }
  });

  test('every changed character, unless it means the same', () => {
    for (let at = 0; at < text.length; at++) {
      if (/\s/.test(text[at] ?? '')) continue;
      const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      expect(() => parseKeystore(changed), `${at}`).toThrow(KeystoreError);
    }
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['another kind of file', '{"kind": "Secret"}', 'not a keystore'],
    ['no object', '[]', 'not a keystore'],
    ['null', 'null', 'not a keystore'],
    ['a later version', text.replace('"version": 1', '"version": 2'), 'version 2'],
    ['no keys', '{"kind":"understudy-kms-keystore","version":1,"keks":{}}', 'no list of keys'],
    [
      'a key that is none',
      '{"kind":"understudy-kms-keystore","version":1,"keks":[{"keyId":1}]}',
      'not written as a key',
    ],
  ])('%s', (_name, content, reason) => {
    expect(() => parseKeystore(content)).toThrow(reason);
  });

  test('keys in another order: another one would write', () => {
    const file = JSON.parse(text);
    file.keks.reverse();
    expect(() => parseKeystore(JSON.stringify(file))).toThrow('checksum');
  });

  test('an error never quotes the file', () => {
    const message = ((): string => {
      try {
        parseKeystore(text.slice(0, -20));
      } catch (error) {
        return String(error);
      }
      return '';
    })();
    expect(message).not.toBe('');
    for (const { key } of three) expect(message).not.toContain(key.toString('base64').slice(0, 8));
  });
});
