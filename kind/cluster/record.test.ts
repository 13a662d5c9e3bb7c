import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KindSpec } from './configuration.ts';
import {
  containerCount,
  type KindRecord,
  readKindRecord,
  type Settled,
  startingOrder,
  stillSettled,
  writeKindRecord,
} from './record.ts';

const spec: KindSpec = { stack: 'kind', controlPlanes: 1, workers: 2, openshift: true, mounts: [], ports: [] };

test('a cluster has a container a node, and one more before several control planes', () => {
  expect(containerCount(spec)).toBe(3);
  expect(containerCount({ ...spec, controlPlanes: 3 })).toBe(6);
});

test('containers start by their addresses as numbers, those of which none is known first', () => {
  const addresses = { balancer: '172.18.0.2', first: '172.18.0.10', second: '172.18.0.9' };
  expect(startingOrder(['first', 'second', 'unknown', 'balancer'], { addresses })).toEqual([
    'unknown',
    'balancer',
    'second',
    'first',
  ]);
  expect(startingOrder(['b', 'a'], {})).toEqual(['b', 'a']);
});

test('a record is read as it was written, and one that is cut short is none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'record-'));
  expect(await readKindRecord(dir)).toBeUndefined();
  const record: KindRecord = { spec, engine: 'docker', image: 'i', complete: false, madeNetwork: true };
  await writeKindRecord(dir, record);
  expect(await readKindRecord(dir)).toEqual(record);
  await writeFile(join(dir, 'kind.json'), '{"spec"');
  expect(await readKindRecord(dir)).toBeUndefined();
  await rm(dir, { recursive: true });
});

const first = { name: 'first', startedAt: '2026-11-27T01:02:03Z', running: true };
const second = { name: 'second', startedAt: '2026-11-27T01:02:04Z', running: true };
const settled: Settled = {
  startedAt: { second: second.startedAt, first: first.startedAt },
  credentials: false,
  pauseImage: 'pause:1',
};

test('a cluster whose containers all have run since it was settled still is', () => {
  expect(stillSettled(settled, [first, second], undefined)).toBe(settled);
});

test.each([
  ['was never settled', undefined, [first, second], undefined],
  ['has a container that does not run', settled, [first, { ...second, running: false }], undefined],
  ['has one that was started again', settled, [first, { ...second, startedAt: '2026-11-27T02:00:00Z' }], undefined],
  ['has one more', settled, [first, second, { ...second, name: 'third' }], undefined],
  ['gets registry credentials', settled, [first, second], '{}'],
  ['has some', { ...settled, credentials: true }, [first, second], undefined],
])('one that %s is looked at', (_what, before, nodes, credentials) => {
  expect(stillSettled(before, nodes, credentials)).toBeUndefined();
});
