import { describe, expect, it } from 'vitest';
import { Failure } from '../../common/failure.ts';
import { type Look, type WaitPlan, waitUntil } from './wait.ts';

const planWith = (parts: Partial<WaitPlan>): { readonly plan: WaitPlan; readonly notes: readonly string[] } => {
  const notes: string[] = [];
  const plan: WaitPlan = {
    tried: 'see it',
    timeoutMs: 1_000,
    next: 'look there',
    goesOn: 'the operator goes on',
    intervalMs: 1,
    signal: new AbortController().signal,
    progress: { note: (text) => notes.push(text), phase: (_name, work) => work() },
    ...parts,
  };
  return { plan, notes };
};

const looks = (...answers: readonly (Look | Error)[]): (() => Promise<Look>) => {
  const left = [...answers];
  return async () => {
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error || answer === undefined) throw answer;
    return answer;
  };
};

const pending = (obstacle: string, ...texts: readonly string[]): Look => ({
  done: false,
  told: texts.map((text) => ({ text })),
  obstacle,
});

describe('waitUntil', () => {
  it('tells each milestone once, also one that comes and goes', async () => {
    const { plan, notes } = planWith({});
    const done = { done: true, told: [{ text: 'c' }], obstacle: '' };
    await waitUntil(looks(pending('', 'a'), pending('', 'a', 'b'), pending('', 'a'), pending('', 'b'), done), plan);
    expect(notes).toEqual(['a', 'b', 'c']);
  });

  it('does not tell every count', async () => {
    const { plan, notes } = planWith({});
    const counts = Array.from(
      { length: 50 },
      (_, i): Look => ({
        done: i === 49,
        told: [{ text: `${i} of 50`, counting: true }],
        obstacle: '',
      }),
    );
    await waitUntil(looks(...counts), plan);
    expect(notes).toEqual(['0 of 50']);
  });

  it('tells what stands in the way, once, where nothing happens for a while', async () => {
    const { plan, notes } = planWith({ timeoutMs: 40, quietMs: 10 });
    await expect(waitUntil(looks(pending('the plugin is down', 'a')), plan)).rejects.toThrow(Failure);
    expect(notes).toEqual(['a', 'not yet: the plugin is down']);
  });

  it('goes on when an API server is away', async () => {
    const { plan } = planWith({});
    await waitUntil(looks(new Error('connection reset'), { done: true, told: [], obstacle: '' }), plan);
  });

  it.each([
    ['what stands in the way', pending('the plugin is down')],
    ['the last error', new Error('the plugin is down')],
  ])('gives up after a while with %s', async (_, answer) => {
    const { plan } = planWith({ timeoutMs: 20 });
    await expect(waitUntil(looks(answer), plan)).rejects.toMatchObject({
      parts: { tried: 'see it', got: 'the plugin is down', next: 'look there' },
    });
  });

  it('ends at once when the user does, and says what becomes of it', async () => {
    const stop = new AbortController();
    const { plan } = planWith({ signal: stop.signal, intervalMs: 60_000 });
    const waiting = waitUntil(async () => pending(''), plan);
    setImmediate(() => stop.abort());
    await expect(waiting).rejects.toThrow(Failure);
    await expect(waiting).rejects.toThrow('interrupted; the operator goes on');
  });
});
