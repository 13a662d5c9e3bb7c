import { describe, expect, test } from 'vitest';
import {
  ConnectionError,
  clientPreface,
  contentOf,
  decodeSettings,
  encodeFrame,
  encodeSettings,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
} from './frames.ts';

const frameOf = (type: number, flags: number, payload: readonly number[]): Frame => ({
  type,
  flags,
  streamId: 1,
  payload: Buffer.from(payload),
});

describe('FrameReader', () => {
  const bytes = Buffer.concat([
    clientPreface,
    encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(0)),
    encodeFrame(FrameType.data, Flag.endStream, 5, Buffer.from('hello')),
  ]);
  const expected = [
    { type: FrameType.settings, flags: 0, streamId: 0, payload: Buffer.alloc(0) },
    { type: FrameType.data, flags: Flag.endStream, streamId: 5, payload: Buffer.from('hello') },
  ];

  test('finds the frames however the bytes are cut', () => {
    for (const size of [1, 2, 7, 24, 25, 33, bytes.length]) {
      const reader = new FrameReader();
      const frames: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) frames.push(...reader.push(bytes.subarray(at, at + size)));
      expect(frames).toEqual(expected);
    }
  });

  test('ignores the reserved bit of a stream ID', () => {
    const frame = encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(8));
    frame[5] = 0x80;
    const [ping] = new FrameReader().push(Buffer.concat([clientPreface, frame]));
    expect(ping?.streamId).toBe(0);
  });

  test.each([
    ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a frame above 16 KiB', Buffer.concat([clientPreface, Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])])],
  ])('refuses %s', (_name, chunk) => {
    expect(() => [...new FrameReader().push(chunk)]).toThrow(ConnectionError);
  });
});

describe('contentOf', () => {
  test('takes padding and priority off', () => {
    expect(contentOf(frameOf(FrameType.data, 0, [1, 2]))).toEqual(Buffer.from([1, 2]));
    expect(contentOf(frameOf(FrameType.data, Flag.padded, [2, 9, 0, 0]))).toEqual(Buffer.from([9]));
    const both = frameOf(FrameType.headers, Flag.padded | Flag.priority, [1, 0, 0, 0, 0, 16, 7, 8, 0]);
    expect(contentOf(both)).toEqual(Buffer.from([7, 8]));
  });

  test.each([
    ['padding beyond the frame', frameOf(FrameType.data, Flag.padded, [3, 0, 0])],
    ['no room for the padding', frameOf(FrameType.data, Flag.padded, [])],
    ['no room for the priority', frameOf(FrameType.headers, Flag.priority, [0, 0])],
  ])('refuses %s', (_name, frame) => {
    expect(() => contentOf(frame)).toThrow(ConnectionError);
  });
});

test('settings come back as they were written, and need whole entries', () => {
  const settings = [
    [3, 1024],
    [4, 0xffffffff],
  ] as const;
  expect(decodeSettings(encodeSettings(settings))).toEqual(settings);
  expect(() => decodeSettings(Buffer.alloc(5))).toThrow(ConnectionError);
});
