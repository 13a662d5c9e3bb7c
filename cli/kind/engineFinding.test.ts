import { expect, test } from 'vitest';
import type { EngineAnswer } from '../../kind/cluster/engine.ts';
import { engineFinding } from './engineFinding.ts';

const found = (docker: EngineAnswer, podman: EngineAnswer) =>
  engineFinding(
    new Map([
      ['docker', docker],
      ['podman', podman],
    ]),
  );

test('engines that work are named with their versions', () => {
  expect(found({ kind: 'answers', version: '20.10.24' }, { kind: 'answers', version: '5.4.2' })).toEqual({
    what: 'engine for kind',
    state: 'ok',
    detail: 'docker 20.10.24, podman 5.4.2',
  });
});

test('a machine without one lacks nothing that a local stack needs', () => {
  expect(found({ kind: 'absent' }, { kind: 'absent' })).toEqual({
    what: 'engine for kind',
    state: 'optional',
    detail: 'there is no docker and no podman on PATH; only platform kind needs one',
    next: expect.stringContaining('install Docker or Podman'),
  });
});

test('one that is there and does not answer is told of with what it says, and how to start it', () => {
  const { detail, next } = found({ kind: 'refuses', message: 'Cannot connect' }, { kind: 'absent' });
  expect(detail).toContain('docker: Cannot connect');
  expect(next).toContain('systemctl start docker');
});
