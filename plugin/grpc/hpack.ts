import { decodeHuffman, HpackError } from './huffman.ts';

/** Names and values of one header block, in their order. */
export type Header = readonly (readonly [name: string, value: string])[];

type Field = Header[number];

/** RFC 7541, appendix A. */
const staticTable: readonly Field[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  ...['200', '204', '206', '304', '400', '404', '500'].map((status): Field => [':status', status]),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...[
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control',
    'content-disposition content-encoding content-language content-length content-location content-range content-type',
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since',
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after',
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate',
  ].flatMap((names) => names.split(' ').map((name): Field => [name, ''])),
];

/** An integer (RFC 7541, section 5.1) in the low `prefixBits` of a byte whose high bits are `pattern`. */
const encodeInteger = (value: number, prefixBits: number, pattern: number): readonly number[] => {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return [pattern | value];
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
};

const encodeString = (text: string): readonly number[] => [
  ...encodeInteger(text.length, 7, 0),
  ...Buffer.from(text, 'latin1'),
];

/** A block for `header` that leaves the other side's table as it is, so that it can be kept and sent again. */
export const encodeHeader = (header: Header): Buffer =>
  Buffer.from(
    header.flatMap(([name, value]) => {
      const whole = staticTable.findIndex((field) => field[0] === name && field[1] === value) + 1;
      if (whole > 0) return encodeInteger(whole, 7, 0x80);
      const named = staticTable.findIndex((field) => field[0] === name) + 1;
      return [...encodeInteger(named, 4, 0), ...(named > 0 ? [] : encodeString(name)), ...encodeString(value)];
    }),
  );

/** SETTINGS_HEADER_TABLE_SIZE where nothing else was agreed, bytes. */
const tableLimit = 4096;

/** RFC 7541, section 4.1: what an entry counts beside its text, bytes. */
const entryOverhead = 32;

const sizeOf = ([name, value]: Field): number => name.length + value.length + entryOverhead;

/** The part of the table that the other side fills, oldest first. */
const dynamicTable = () => {
  const entries: Field[] = [];
  let size = 0;
  let limit = tableLimit;
  const evictDownTo = (target: number): void => {
    while (size > target) {
      const oldest = entries.shift();
      if (oldest === undefined) return;
      size -= sizeOf(oldest);
    }
  };
  return {
    /** @param age 0 for the newest. */
    at: (age: number): Field | undefined => entries[entries.length - 1 - age],
    add: (field: Field): void => {
      evictDownTo(limit - sizeOf(field));
      if (sizeOf(field) > limit) return;
      entries.push(field);
      size += sizeOf(field);
    },
    resize: (newLimit: number): void => {
      if (newLimit > tableLimit) throw new HpackError('table size above the agreed limit');
      limit = newLimit;
      evictDownTo(limit);
    },
  };
};

/** Takes the primitive types of RFC 7541, section 5, from a block. */
class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get done(): boolean {
    return this.#at >= this.#block.length;
  }

  /** The byte that comes next, which tells what kind of field it begins. */
  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new HpackError('block ends inside a field');
    return byte;
  }

  integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.peek() & mask;
    this.#at++;
    if (value < mask) return value;
    // Four further bytes hold 28 bits: more than any length or index that can be right here.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.peek();
      this.#at++;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError('integer too large');
  }

  string(): string {
    const huffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new HpackError('block ends inside a string');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return huffman ? decodeHuffman(bytes) : bytes.toString('latin1');
  }
}

export interface HpackDecoder {
  /**
   * Decodes the blocks of one connection, each once and in their order.
   * @throws HpackError
   */
  decode(block: Buffer): Header;
}

/** @param listLimit bytes that one decoded header may count (SETTINGS_MAX_HEADER_LIST_SIZE); a few bytes can name many. */
export const hpackDecoder = (listLimit: number): HpackDecoder => {
  const dynamic = dynamicTable();

  const indexed = (index: number): Field => {
    const field = index <= staticTable.length ? staticTable[index - 1] : dynamic.at(index - staticTable.length - 1);
    if (field === undefined) throw new HpackError(`no field at index ${index}`);
    return field;
  };

  const literal = (reader: BlockReader, prefixBits: number): Field => {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? reader.string() : indexed(index)[0];
    return [name, reader.string()];
  };

  return {
    decode: (block) => {
      const reader = new BlockReader(block);
      const header: Field[] = [];
      let listSize = 0;
      while (!reader.done) {
        const kind = reader.peek();
        let field: Field;
        if (kind >= 0x80) {
          field = indexed(reader.integer(7));
        } else if (kind >= 0x40) {
          field = literal(reader, 6);
          dynamic.add(field);
        } else if (kind >= 0x20) {
          if (header.length > 0) throw new HpackError('table size changed inside a block');
          dynamic.resize(reader.integer(5));
          continue;
        } else {
          field = literal(reader, 4);
        }
        listSize += sizeOf(field);
        if (listSize > listLimit) throw new HpackError(`header above ${listLimit} bytes`);
        header.push(field);
      }
      return header;
    },
  };
};
