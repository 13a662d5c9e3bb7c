import { expect, it } from 'vitest';
import { parseServiceState } from './s6.ts';

const parse = (hex: string) => parseServiceState(Buffer.from(hex, 'hex'));

it('reads a service that is up', () => {
  const state = parse('400000006b01524922778e97400000006b015249226e1a560000000000005d6a000004');
  expect(state).toEqual({
    pid: 0x5d6a,
    since: expect.closeTo(1_795_248_676_578.26),
    wantedUp: true,
    lastEnd: 'exit code 0',
  });
});

it('reads one that was killed and is not wanted', () => {
  const state = parse('400000006b01524a0b575e55400000006b01524a0b60f6430000000000000000000908');
  expect(state).toMatchObject({ pid: undefined, wantedUp: false, lastEnd: 'signal 9' });
});

it('reads one that ended by itself and is started again soon, as a later s6 writes it', () => {
  const state = parse('400000006b01524b2a83f727400000006b01524b2a9048fb00000000000000000000000000005d8a01000c');
  expect(state).toMatchObject({ pid: undefined, wantedUp: true, lastEnd: 'exit code 1' });
});

it('refuses a file that is cut short', () => {
  expect(() => parse('400000006b01524b')).toThrow('8 bytes are no status');
});
