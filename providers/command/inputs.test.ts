import { expect, test } from 'vitest';
import { type PropertyMap, Secret, unknown } from '../protocol/values.ts';
import { checkCommand, checkRun, parseInputs } from './inputs.ts';
import { redactor } from './redact.ts';

test('all inputs of a command pass', () => {
  const inputs = {
    create: 'a',
    update: 'b',
    delete: 'c',
    dir: '/',
    environment: { A: new Secret('x'), B: unknown },
    interpreter: ['sh', '-c'],
    stdin: new Secret('x'),
    logging: 'stderr',
    triggers: [1, { a: null }],
    addPreviousOutputInEnv: false,
    assetPaths: null,
  };
  expect(checkCommand(inputs)).toEqual({ inputs, failures: [] });
});

test.each<[string, PropertyMap[string]]>([
  ['create', ['a']],
  ['environment', { A: 1 }],
  ['interpreter', 'sh'],
  ['logging', 'all'],
  ['triggers', 'x'],
  ['addPreviousOutputInEnv', 'true'],
  ['assetPaths', ['*.txt']],
  ['archivePaths', ['*']],
  ['creates', 'x'],
])('%s = %j is refused by name', (property, value) => {
  expect(checkCommand({ [property]: value }).failures).toMatchObject([{ property }]);
});

test('run needs a command and has no triggers', () => {
  expect(checkRun({ command: 'a', dir: '/' })).toEqual([]);
  expect(checkRun({ triggers: [] })).toMatchObject([{ property: 'command' }, { property: 'triggers' }]);
});

test('inputs are read laid open, without what is null', () => {
  expect(parseInputs({ create: new Secret('a'), dir: null })).toEqual({ create: 'a' });
});

test('secrets are taken out of what is shown, longest first, line by line', () => {
  const inputs = { stdin: new Secret('first line\nsecond line'), environment: { A: new Secret('first'), B: 'plain' } };
  expect(redactor(inputs)('it said: first line, second line, first, plain')).toBe(
    'it said: [secret], [secret], [secret], plain',
  );
});

test('a secret too short to mean anything is left', () => {
  expect(redactor({ a: new Secret('1') })('exit code 1')).toBe('exit code 1');
});
