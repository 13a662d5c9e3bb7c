import { expect, it } from 'vitest';
import { type NodeObservation, planStep } from './plan.ts';

const old = 'old';
const wished = 'wished';
const a = (loaded: string | undefined, since = 1) => ({ name: 'a', since, loaded });
const b = (loaded: string | undefined, since = 2) => ({ name: 'b', since, loaded });
const quiet = { file: old, previous: undefined, silentMs: 0, wished };

const cases: readonly (readonly [string, Partial<NodeObservation>, object])[] = [
  ['takes what is wished and not loaded', { instances: [a(old)] }, { kind: 'take' }],
  ['goes on with a file that is written and not loaded', { instances: [a(old)], file: wished }, { kind: 'take' }],
  ['settles once it is loaded', { instances: [a(wished)], file: wished }, { kind: 'settle' }],
  ['rests while nothing is wished', { instances: [a(old)], wished: undefined }, { kind: 'rest' }],
  ['waits for an API server that is coming', { instances: [a(undefined)] }, { kind: 'wait' }],
  ['starts one where none is wanted', { instances: [] }, { kind: 'start' }],
  ['ends the one with the wrong file', { instances: [a(old), b(wished)] }, { kind: 'end', names: ['a'] }],
  ['ends the younger of two with the wrong file', { instances: [a(old), b(old)] }, { kind: 'end', names: ['b'] }],
  [
    'ends the younger of two with the right file',
    { instances: [a(wished, 9), b(wished)] },
    { kind: 'end', names: ['a'] },
  ],
  ['ends the one that does not answer', { instances: [a(undefined), b(old)] }, { kind: 'end', names: ['a'] }],
  ['ends the younger of two silent ones', { instances: [a(undefined), b(undefined)] }, { kind: 'end', names: ['b'] }],
  [
    'judges two by the file while nothing is wished',
    { instances: [a(old), b('new')], wished: undefined, file: 'new' },
    { kind: 'end', names: ['a'] },
  ],
  [
    'waits some time with a new file that does not work',
    { instances: [a(undefined)], file: wished, previous: old, silentMs: 59_000 },
    { kind: 'wait' },
  ],
  [
    'goes back to the file before it then',
    { instances: [a(undefined)], file: wished, previous: old, silentMs: 61_000 },
    { kind: 'goBack', names: ['a'] },
  ],
  [
    'has nothing to go back to where the file is the one before',
    { instances: [a(undefined)], file: old, previous: old, silentMs: 61_000 },
    { kind: 'wait' },
  ],
];

it.each(cases)('%s', (_name, observation, step) => {
  expect(planStep({ ...quiet, instances: [], ...observation })).toEqual(step);
});
