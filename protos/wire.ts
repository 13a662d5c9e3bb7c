import { isUtf8 } from 'node:buffer';

/** Bytes that are not a message of the expected kind (protobuf's encoding rules). */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** A field's number, and its bytes: of a string, of bytes, of a message or of a map's entry. */
type VisitField = (number: number, bytes: Buffer) => void;

const longestTagAndLength = 10;

const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Goes through the length-delimited fields of a message in their order and skips all others.
 * @throws MalformedMessage
 */
export const readFields = (message: Buffer, visit: VisitField): void => {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) throw new MalformedMessage('it ends inside a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new MalformedMessage('number above 64 bits');
  };
  const skip = (length: number): number => {
    const start = at;
    at += length;
    if (at > message.length) throw new MalformedMessage('it ends inside a field');
    return start;
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new MalformedMessage('field number 0');
    switch (tag % 8) {
      case WireType.varint:
        varint();
        break;
      case WireType.fixed64:
        skip(8);
        break;
      case WireType.bytes: {
        const start = skip(varint());
        visit(number, message.subarray(start, at));
        break;
      }
      case WireType.fixed32:
        skip(4);
        break;
      default:
        throw new MalformedMessage(`wire type ${tag % 8}`);
    }
  }
};

/** @throws MalformedMessage where the bytes are not UTF-8, which protobuf asks of strings. */
export const decodeString = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new MalformedMessage('a string that is not UTF-8');
  return bytes.toString();
};

/** Writes a message field by field. Empty fields are left out, as proto3 has it. */
export class FieldWriter {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  bytes(number: number, value: Uint8Array): this {
    if (value.length === 0) return this;
    this.#begin(number, value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  string(number: number, text: string): this {
    const length = Buffer.byteLength(text);
    if (length === 0) return this;
    this.#begin(number, length);
    this.#length += this.#buffer.write(text, this.#length);
    return this;
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Tag and length, and room for as many bytes. */
  #begin(number: number, length: number): void {
    const needed = this.#length + longestTagAndLength + length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#varint((number << 3) | WireType.bytes);
    this.#varint(length);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#length++] = rest;
  }
}
