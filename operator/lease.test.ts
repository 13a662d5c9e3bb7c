import { expect, it } from 'vitest';
import { heldBy, isTaken } from './lease.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const free = { metadata: { name: 'lock' } };
const a = { identity: 'a', durationSeconds: 15 };
const b = { identity: 'b', durationSeconds: 15 };

it('is free where nobody holds it, taken until it runs out', () => {
  const held = heldBy(free, a, now);
  expect(isTaken(free, b, now)).toBe(false);
  expect(isTaken(held, a, now)).toBe(false);
  expect(isTaken(held, b, now + 14_999)).toBe(true);
  expect(isTaken(held, b, now + 15_000)).toBe(false);
  expect(isTaken({ ...held, spec: { ...held.spec, holderIdentity: '' } }, b, now)).toBe(false);
});

it('counts those who held it, and keeps since when', () => {
  const first = heldBy(free, a, now);
  expect(first.spec).toMatchObject({ acquireTime: '2026-11-21T09:00:00.000000Z', leaseTransitions: 0 });
  const again = heldBy(first, a, now + 5_000);
  expect(again.spec).toMatchObject({ acquireTime: first.spec?.acquireTime, renewTime: '2026-11-21T09:00:05.000000Z' });
  expect(heldBy(again, b, now + 60_000).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});
