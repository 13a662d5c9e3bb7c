import { describe, expect, test } from 'vitest';
import type { PropertyMap } from '../../protocol/values.ts';
import { judgePods, newestPods, type Since, troublesOf } from './troubles.ts';

interface PodParts {
  readonly name?: string;
  readonly revision?: string;
  readonly created?: string;
  readonly deleted?: boolean;
}

const podWith = (status: PropertyMap, { name = 'p', revision, created = '', deleted = false }: PodParts = {}) => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    creationTimestamp: created,
    ...(revision !== undefined && { labels: { 'controller-revision-hash': revision } }),
    ...(deleted && { deletionTimestamp: created }),
  },
  status,
});

const stuck = (reason: string, restartCount = 0): PropertyMap => ({
  containerStatuses: [{ name: 'c', ready: false, restartCount, state: { waiting: { reason, message: 'words' } } }],
});

const crashing = (restartCount: number, waiting = true): PropertyMap => ({
  containerStatuses: [
    {
      name: 'c',
      ready: false,
      restartCount,
      state: waiting
        ? { waiting: { reason: 'CrashLoopBackOff', message: `back-off ${restartCount}` } }
        : { terminated: { reason: 'Error', exitCode: 1 } },
      lastState: waiting ? { terminated: { reason: 'Error', exitCode: 1 } } : {},
    },
  ],
});

const unschedulable = (message: string): PropertyMap => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
});

describe('troubles of a pod', () => {
  test.each<[string, PropertyMap, readonly string[]]>([
    ['none where it is ready', { conditions: [{ type: 'Ready', status: 'True' }], ...crashing(2) }, []],
    ['none while its container is made', stuck('ContainerCreating'), []],
    ['an image that is not there', stuck('ErrImageNeverPull'), ['container c: ErrImageNeverPull: words']],
    [
      'a crash loop, its exit code and restarts',
      crashing(4),
      ['container c: CrashLoopBackOff: back-off 4', 'container c: Error (exit code 1), restarted 4 times'],
    ],
    ['a first crash', crashing(0, false), ['container c: Error (exit code 1)']],
    ['the words of the scheduler', unschedulable('no room'), ['Unschedulable: no room']],
    ['nothing known', {}, []],
  ])('%s', (_name, status, texts) => {
    expect(troublesOf(podWith(status)).map(({ text }) => text)).toEqual(texts);
  });
});

describe('waiting is in vain', () => {
  type Look = readonly [seconds: number, status: PropertyMap];
  const after = (looks: readonly Look[]): string | undefined => {
    let since: Since = new Map();
    let inVain: string | undefined;
    for (const [seconds, status] of looks) {
      const judged = judgePods([podWith(status)], since, seconds * 1000);
      ({ since, inVain } = judged);
    }
    return inVain;
  };

  const ready: PropertyMap = { conditions: [{ type: 'Ready', status: 'True' }] };
  const notReadyNode = '0/1 nodes are available: 1 node(s) had untolerated taint(s) {node.kubernetes.io/not-ready: }';

  test.each<readonly [string, readonly Look[], RegExp | undefined]>([
    [
      'when a container has been crashing',
      [
        [0, crashing(1)],
        [30, crashing(3)],
      ],
      /^pod p: container c: CrashLoop/,
    ],
    [
      'also where it crashes between looks',
      [
        [0, crashing(0, false)],
        [16, crashing(2)],
        [31, crashing(3)],
      ],
      /Crash/,
    ],
    ['not at first sight of an old loop', [[0, crashing(9)]], undefined],
    [
      'not after two restarts',
      [
        [0, crashing(1)],
        [60, crashing(2)],
      ],
      undefined,
    ],
    [
      'not where it was ready in between',
      [
        [0, crashing(3)],
        [20, ready],
        [31, crashing(4)],
      ],
      undefined,
    ],
    [
      'when its image never comes',
      [
        [0, stuck('ErrImageNeverPull')],
        [20, stuck('ErrImageNeverPull')],
      ],
      /NeverPull/,
    ],
    [
      'when the name of its image is none',
      [
        [0, stuck('InvalidImageName')],
        [20, stuck('InvalidImageName')],
      ],
      /Invalid/,
    ],
    [
      'not where a registry may answer later',
      [
        [0, stuck('ErrImagePull')],
        [500, stuck('ImagePullBackOff')],
      ],
      undefined,
    ],
    [
      'when no node has room for a minute',
      [
        [0, unschedulable('no room')],
        [60, unschedulable('no room')],
      ],
      /no room/,
    ],
    [
      'not while nodes start',
      [
        [0, unschedulable(notReadyNode)],
        [90, unschedulable(notReadyNode)],
      ],
      undefined,
    ],
  ])('%s', (_name, looks, expected) => {
    const inVain = after(looks);
    if (expected === undefined) expect(inVain).toBeUndefined();
    else expect(inVain).toMatch(expected);
  });
});

test('each trouble has one key however often its words change', () => {
  const first = judgePods([podWith(crashing(1))], new Map(), 0);
  const second = judgePods([podWith(crashing(2))], first.since, 1);
  expect([...second.told.keys()]).toEqual([...first.told.keys()]);
  expect(first.told.size).toBe(2);
});

test('pods of an older template and those that go are not judged', () => {
  const old = podWith(crashing(9), { name: 'old', revision: '1', created: '2026-01-01T00:00:00Z' });
  const going = podWith(crashing(9), { name: 'going', revision: '2', created: '2026-01-01T00:00:02Z', deleted: true });
  const fresh = podWith({}, { name: 'fresh', revision: '2', created: '2026-01-01T00:00:01Z' });
  expect(newestPods([old, going, fresh])).toEqual([fresh]);
  expect(newestPods([])).toEqual([]);
});
