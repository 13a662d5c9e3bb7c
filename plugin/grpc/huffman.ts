/** A header block that breaks RFC 7541: the state that both sides share is lost, and with it the connection. */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}

/**
 * The symbols of HPACK's Huffman code by the length of their codes in bits (RFC 7541, appendix B). The code is
 * canonical: within a length, codes count up in the order of the symbols. So the lengths alone define it.
 */
const symbolsByLength: ReadonlyMap<number, string> = new Map([
  [5, '48-50 97 99 101 105 111 115-116'],
  [6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117'],
  [7, '58 66-87 89 106-107 113 118-122'],
  [8, '38 42 44 59 88 90'],
  [10, '33-34 40-41 63'],
  [11, '39 43 124'],
  [12, '35 62'],
  [13, '0 36 64 91 93 126'],
  [14, '94 125'],
  [15, '60 96 123'],
  [19, '92 195 208'],
  [20, '128 130-131 162 184 194 224 226'],
  [21, '153 161 167 172 176-177 179 209 216-217 227 229-230'],
  [22, '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233'],
  [23, '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239'],
  [24, '9 142 144-145 148 159 171 206 215 225 236-237'],
  [25, '199 207 234-235'],
  [26, '192-193 200-202 205 210 213 218-219 238 240 242-243 255'],
  [27, '203-204 211-212 214 221-223 241 244-248 250-254'],
  [28, '2-8 11-12 14-21 23-31 127 220 249'],
  [30, '10 13 22 256'],
]);

const endOfString = 256;
const longestCode = 30;

const expand = (ranges: string): readonly number[] =>
  ranges.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

/** The codes of one length: they run from `first` on, one for each of `symbols`. */
interface CodesOfLength {
  readonly first: number;
  readonly symbols: readonly number[];
}

const codes: CodesOfLength[] = [{ first: 0, symbols: [] }];
for (let length = 1, next = 0; length <= longestCode; length++) {
  const ranges = symbolsByLength.get(length);
  const symbols = ranges === undefined ? [] : expand(ranges);
  next *= 2;
  codes.push({ first: next, symbols });
  next += symbols.length;
}

/**
 * The text of a Huffman-coded string, one character per byte.
 * @throws HpackError where it holds the end-of-string code or ends in other than fewer than 8 one bits.
 */
export const decodeHuffman = (coded: Uint8Array): string => {
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of coded) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const ofLength = codes[length];
      if (ofLength === undefined) throw new HpackError('no such Huffman code');
      const symbol = ofLength.symbols[code - ofLength.first];
      if (symbol === undefined) continue;
      if (symbol === endOfString) throw new HpackError('end-of-string code inside a string');
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  if (length > 7 || code !== (1 << length) - 1) throw new HpackError('wrong padding of a Huffman string');
  return text;
};
