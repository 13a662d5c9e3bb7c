import { describe, expect, test } from 'vitest';
import { encodeHeader, type HpackDecoder, hpackDecoder } from './hpack.ts';
import { decodeHuffman, HpackError } from './huffman.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const linesOf = (decoder: HpackDecoder, block: string): readonly string[] =>
  decoder.decode(hex(block)).map(([name, value]) => `${name}: ${value}`);

describe('examples of RFC 7541', () => {
  test('C.4: requests in Huffman code that build a table', () => {
    const decoder = hpackDecoder(16_384);
    const request = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
    expect(linesOf(decoder, '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')).toEqual(request);
    expect(linesOf(decoder, '8286 84be 5886 a8eb 1064 9cbf')).toEqual([...request, 'cache-control: no-cache']);
    expect(linesOf(decoder, '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).toEqual([
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ]);
  });

  test('C.6: responses that push entries out of a table of 256 bytes', () => {
    const decoder = hpackDecoder(16_384);
    const tableOf256 = '3fe101';
    expect(
      linesOf(
        decoder,
        `${tableOf256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d
         29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`.replaceAll('\n', ''),
      ),
    ).toEqual([
      ':status: 302',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ]);
    expect(linesOf(decoder, '4883 640e ffc1 c0bf')).toContain(':status: 307');
    expect(
      linesOf(
        decoder,
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`.replaceAll('\n', ''),
      ),
    ).toEqual([
      ':status: 200',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:22 GMT',
      'location: https://www.example.com',
      'content-encoding: gzip',
      'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    ['index 0', '80'],
    ['an index beyond the table', 'be'],
    ['a cut integer', 'ff'],
    ['an integer without an end', 'ff ff ff ff ff ff ff'],
    ['a cut string', '40 05 61'],
    ['a literal without a value', '40 01 61'],
    ['a table above the agreed size', '3f e2 1f'],
    ['a table size after a field', '82 20'],
    ['Huffman padding of a whole byte', '40 81 ff 01 61'],
    ['Huffman padding of zeros', '40 81 18 01 61'],
    ['the end-of-string code', '40 84 ff ff ff ff 01 61'],
  ])('%s', (_name, block) => {
    expect(() => hpackDecoder(16_384).decode(hex(block))).toThrow(HpackError);
  });

  test('a few bytes that name a huge header', () => {
    const decoder = hpackDecoder(16_384);
    const entry = encodeHeader([['x', 'y'.repeat(3_000)]]);
    entry[0] = 0x40;
    decoder.decode(entry);
    expect(() => decoder.decode(Buffer.alloc(100, 0xbe))).toThrow('header above 16384 bytes');
  });
});

test('an entry larger than the table empties it', () => {
  const decoder = hpackDecoder(16_384);
  decoder.decode(hex('40 01 61 01 62'));
  expect(linesOf(decoder, 'be')).toEqual(['a: b']);
  const large = encodeHeader([['x', 'y'.repeat(5_000)]]);
  large[0] = 0x40;
  decoder.decode(large);
  expect(() => decoder.decode(hex('be'))).toThrow(HpackError);
});

test('what encodeHeader writes comes back', () => {
  const header = [
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['grpc-status', '3'],
    ['grpc-message', 'm'.repeat(500)],
  ] as const;
  expect(hpackDecoder(16_384).decode(encodeHeader(header))).toEqual(header);
});

test.each([
  ['ff c7', '\u0000'],
  ['ff ff ff f3', '\n'],
  ['ff ff ff f7', '\r'],
  ['ff ff ff fb', '\u0016'],
  ['ff ff fb bf', 'ÿ'],
])('the longest codes: %s', (coded, text) => {
  expect(decodeHuffman(hex(coded))).toBe(text);
});
