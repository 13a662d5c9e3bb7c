import { expect, it } from 'vitest';
import { socketsOf, socketsProblem } from './socket.ts';

const one = 'unix:///var/run/kmsplugin/kms-1.sock';

it('a key has the number in its socket’s name', () => {
  expect(socketsOf([one, 'unix:///var/run/kmsplugin/kms-12.sock'])).toEqual([
    { keyID: '1', path: '/var/run/kmsplugin/kms-1.sock' },
    { keyID: '12', path: '/var/run/kmsplugin/kms-12.sock' },
  ]);
  expect(socketsProblem([one])).toBeUndefined();
});

it.each([
  '/var/run/kmsplugin/kms-1.sock',
  'unix:/var/run/kmsplugin/kms-1.sock',
  'unix:///run/kmsplugin/kms-1.sock',
  'unix:///var/run/kmsplugin/kms-.sock',
  'unix:///var/run/kmsplugin/kms-one.sock',
  'unix:///var/run/kmsplugin/kms-1.sock.sock',
  'unix:///var/run/kmsplugin/../kms-1.sock',
  ' unix:///var/run/kmsplugin/kms-1.sock',
  '',
])("'%s' is refused, as upstream does", (endpoint) => {
  expect(socketsProblem([one, endpoint])).toContain(`'${endpoint}' is not unix:///var/run/kmsplugin/kms-<number>.sock`);
  expect(socketsOf([endpoint])).toEqual([]);
});

it('one that is there twice is refused', () => {
  expect(socketsProblem([one, 'unix:///var/run/kmsplugin/kms-2.sock', one])).toBe(`'${one}' is there twice`);
});
