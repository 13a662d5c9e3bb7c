import { describe, expect, it } from 'vitest';
import type { OperatorCondition } from '../observation.ts';
import { noon } from '../testing/fixtures.ts';
import { openShiftInertia } from './status.ts';
import { type Inertia, unionCondition, unionMessage, unionReason } from './union.ts';

const minuteMs = 60_000;
const timestamp = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
const justNow = timestamp(noon - 5_000);
const earlier = timestamp(noon - 3 * minuteMs);
const longAgo = timestamp(noon - 24 * 60 * minuteMs);

const condition = (
  type: string,
  status: OperatorCondition['status'],
  lastTransitionTime: string,
  message = '',
  reason = '',
): OperatorCondition => ({ type, status, lastTransitionTime, message, reason });

const disk = (status: OperatorCondition['status'], since: string) =>
  condition('DiskDegraded', status, since, 'disk says hello');
const fine = condition('FanDegraded', 'False', longAgo);
const twoLines = (since: string) => condition('LampDegraded', 'True', since, 'dark\nvery dark\ndark', 'Broken');
const door = (status: OperatorCondition['status'], since: string) =>
  condition('DoorDegraded', status, since, 'ajar', 'Open');
const anHourForDoors: Inertia = (one) => (one.type === 'DoorDegraded' ? 60 : 2) * minuteMs;

const degraded = (all: readonly OperatorCondition[], inertia: Inertia = openShiftInertia) =>
  unionCondition('Degraded', 'False', all, noon, inertia);

describe('Degraded', () => {
  it.each<[string, readonly OperatorCondition[], OperatorCondition['status'], string, string | undefined]>([
    ['without conditions', [], 'Unknown', 'NoData', undefined],
    ['without one of that suffix', [condition('Encrypted', 'True', longAgo)], 'Unknown', 'NoData', undefined],
    [
      'of one that has just become good',
      [disk('False', justNow)],
      'False',
      'AsExpected',
      'DiskDegraded: disk says hello',
    ],
    ['of one that is good', [disk('False', earlier)], 'False', 'AsExpected', 'DiskDegraded: disk says hello'],
    ['of good ones that say nothing', [fine], 'False', 'AsExpected', 'All is well'],
    [
      'of one that has just become bad',
      [disk('True', justNow)],
      'False',
      'AsExpected',
      'DiskDegraded: disk says hello',
    ],
    ['of one that stays bad', [disk('True', earlier)], 'True', 'Disk', 'DiskDegraded: disk says hello'],
    ['of one that stays unknown', [disk('Unknown', earlier)], 'Unknown', 'Disk', 'DiskDegraded: disk says hello'],
    [
      'of unknown and bad ones',
      [door('Unknown', earlier), disk('True', earlier)],
      'True',
      'Disk::Door_Open',
      'DiskDegraded: disk says hello\nDoorDegraded: ajar',
    ],
    [
      'of many that have just become bad, in the order of the object',
      [twoLines(justNow), fine, disk('True', justNow)],
      'False',
      'AsExpected',
      'LampDegraded: dark\nLampDegraded: very dark\nDiskDegraded: disk says hello',
    ],
    [
      'of many, one of which stays bad: names also those that have just become so, by name',
      [twoLines(justNow), fine, disk('True', earlier)],
      'True',
      'Disk::Lamp_Broken',
      'DiskDegraded: disk says hello\nLampDegraded: dark\nLampDegraded: very dark',
    ],
  ])('%s', (_, all, status, reason, message) => {
    expect(degraded(all).condition).toEqual({
      type: 'Degraded',
      status,
      reason,
      ...(message === undefined ? {} : { message }),
    });
  });

  it('waits for each condition as long as its inertia says', () => {
    expect(degraded([door('True', earlier)], anHourForDoors).condition.status).toBe('False');
    expect(degraded([door('True', earlier), disk('True', justNow)], anHourForDoors).condition.status).toBe('False');
    expect(degraded([door('True', earlier), disk('True', earlier)], anHourForDoors).condition).toMatchObject({
      status: 'True',
      reason: 'Disk::Door_Open',
    });
  });

  it('waits ten minutes for what nodes that start again upset', () => {
    const node = condition('NodeControllerDegraded', 'True', earlier);
    expect(degraded([node]).condition.status).toBe('False');
    expect(degraded([{ ...node, type: 'NodeControllerXDegraded' }]).condition.status).toBe('True');
    expect(degraded([{ ...node, lastTransitionTime: longAgo }]).condition.status).toBe('True');
  });

  it('says when it will have changed, and has then', () => {
    const all = [disk('True', justNow), door('True', earlier), fine];
    const { changesAt } = degraded(all, anHourForDoors);
    expect(changesAt).toBe(noon - 5_000 + 2 * minuteMs + 1);
    const at = (now: number) => unionCondition('Degraded', 'False', all, now, anHourForDoors);
    expect(at(noon - 5_000 + 2 * minuteMs).condition.status).toBe('False');
    expect(at(changesAt ?? 0).condition.status).toBe('True');
    expect(at(changesAt ?? 0).changesAt).toBeUndefined();
    expect(degraded([fine, disk('False', justNow)]).changesAt).toBeUndefined();
  });

  it('takes a time that is none for long ago', () => {
    expect(degraded([disk('True', '')]).condition.status).toBe('True');
  });
});

describe('without inertia', () => {
  it.each<[string, 'True' | 'False', readonly OperatorCondition[], string, string, string]>([
    [
      'Progressing is at once',
      'False',
      [condition('RolloutProgressing', 'True', justNow, 'on it')],
      'True',
      'Rollout',
      'RolloutProgressing: on it',
    ],
    [
      'EvaluationConditionsDetected has no name before its reason',
      'False',
      [condition('EvaluationConditionsDetected', 'True', justNow, 'look', 'Odd')],
      'True',
      '_Odd',
      'EvaluationConditionsDetected: look',
    ],
    [
      'Available ends at once',
      'True',
      [condition('PodsAvailable', 'False', justNow, 'none')],
      'False',
      'Pods',
      'PodsAvailable: none',
    ],
    [
      'Available is unknown where one is',
      'True',
      [
        condition('PodsAvailable', 'True', justNow, 'three'),
        condition('WebAvailable', 'Unknown', justNow, 'who knows'),
      ],
      'Unknown',
      'Web',
      'WebAvailable: who knows',
    ],
    [
      'Available is False where one is, and others are unknown',
      'True',
      [
        condition('WebAvailable', 'Unknown', justNow, 'who knows'),
        condition('PodsAvailable', 'False', justNow, 'none', 'Gone'),
      ],
      'False',
      'Pods_Gone::Web',
      'PodsAvailable: none\nWebAvailable: who knows',
    ],
  ])('%s', (_, usual, all, status, reason, message) => {
    const suffix = /(?:Progressing|Available|EvaluationConditionsDetected)$/.exec(all[0]?.type ?? '')?.[0] ?? '';
    expect(unionCondition(suffix, usual, all, noon)).toEqual({ condition: { type: suffix, status, reason, message } });
  });
});

it('sorts reasons as they are written, and has a line once a condition', () => {
  const names = ['AbDegraded', 'ADegraded'].map((type) => condition(type, 'True', longAgo, 'same\nsame', 'X'));
  expect(unionReason('Degraded', names)).toBe('A_X::Ab_X');
  expect(unionMessage(names)).toBe('AbDegraded: same\nADegraded: same');
});
