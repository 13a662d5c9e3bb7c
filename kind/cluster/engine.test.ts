import { expect, test } from 'vitest';
import { chooseEngine, type EngineAnswer, type EngineName } from './engine.ts';

const answers = { kind: 'answers', version: '1' } as const;
const absent = { kind: 'absent' } as const;
const refuses = (message: string): EngineAnswer => ({ kind: 'refuses', message });
const given = (docker: EngineAnswer, podman: EngineAnswer): ReadonlyMap<EngineName, EngineAnswer> =>
  new Map([
    ['docker', docker],
    ['podman', podman],
  ]);

test('Docker is taken before Podman, Podman where Docker does not work, and the wanted one before both', () => {
  expect(chooseEngine(given(answers, answers), undefined)).toBe('docker');
  expect(chooseEngine(given(refuses('down'), answers), undefined)).toBe('podman');
  expect(chooseEngine(given(answers, answers), 'podman')).toBe('podman');
});

test('without any engine, the message names both, and a stack that needs none', () => {
  expect(() => chooseEngine(given(absent, absent), undefined)).toThrow(
    /there is no docker and no podman on PATH\n.*understudy up local/,
  );
});

test('an engine that is there and does not run is told of, with how to start it', () => {
  const down = refuses('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.');
  expect(() => chooseEngine(given(down, absent), undefined)).toThrow(/Cannot connect.*\n.*systemctl start docker/);
});

test('an engine without rights is told of, with how to get them', () => {
  const denied = refuses('permission denied while trying to connect to the Docker daemon socket');
  expect(() => chooseEngine(given(denied, absent), undefined)).toThrow(/permission denied.*\n.*as root/);
});

test('a wanted engine that is absent is an error even where the other one works', () => {
  expect(() => chooseEngine(given(answers, absent), 'podman')).toThrow('there is no podman on PATH');
});
