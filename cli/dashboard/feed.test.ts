import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { Finding } from './board.ts';
import { type StackSource, type View, watchStacks } from './feed.ts';
import type { View as PageView } from './page/view.d.ts';
import { testStatus } from './testStatus.ts';

const well: Finding = { kind: 'seen', status: testStatus(), dead: [] };

/** A source whose answers a test may change. */
const scripted = (names: readonly string[], look: StackSource['look'] = async () => well) => ({
  names,
  asked: [] as string[],
  async list(): Promise<readonly string[]> {
    return this.names;
  },
  look(name: string) {
    this.asked.push(name);
    return look(name);
  },
});

describe('a feed', () => {
  let stop: AbortController;
  beforeEach(() => {
    stop = new AbortController();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  });
  afterEach(() => {
    stop.abort();
    vi.useRealTimers();
  });

  const second = async (): Promise<void> => {
    vi.advanceTimersByTime(1_000);
    await setImmediate();
  };
  const states = ({ stacks }: View) => stacks.map(({ name, state }) => `${name} ${state}`);

  it('is what the page takes it for', () => {
    expectTypeOf<View>().toExtend<PageView>();
  });

  it('looks at each stack each second, and tells', async () => {
    const source = scripted(['b', 'a']);
    const feed = watchStacks(source, stop.signal);
    const told = vi.fn();
    const leave = feed.subscribe(told);
    await setImmediate();
    expect(states(feed.view(0))).toEqual(['a seen', 'b seen']);
    await second();
    expect(source.asked).toEqual(['b', 'a', 'b', 'a']);
    expect(told).toHaveBeenCalledTimes(4);
    leave();
    await second();
    expect(told).toHaveBeenCalledTimes(4);
  });

  it('does not let a stack that hangs hold up another, and asks it nothing more meanwhile', async () => {
    const source = scripted(['hangs', 'well'], (name) =>
      name === 'hangs' ? new Promise(() => {}) : Promise.resolve(well),
    );
    const feed = watchStacks(source, stop.signal);
    await setImmediate();
    await second();
    await second();
    expect(source.asked.filter((name) => name === 'hangs')).toHaveLength(1);
    expect(source.asked.filter((name) => name === 'well')).toHaveLength(3);
    expect(states(feed.view(0))).toEqual(['hangs waiting', 'well seen']);
  });

  it('shows stacks that come, and no more those that go', async () => {
    const source = scripted(['a']);
    const feed = watchStacks(source, stop.signal);
    await setImmediate();
    source.names = ['b'];
    await second();
    expect(states(feed.view(0))).toEqual(['b seen']);
    source.list = () => Promise.reject(new Error('no rights'));
    await second();
    expect(states(feed.view(0))).toEqual(['b seen']);
  });

  it('tells why it could not look', async () => {
    const feed = watchStacks(
      scripted(['a'], () => Promise.reject(new Error('no rights'))),
      stop.signal,
    );
    await setImmediate();
    expect(feed.view(0).stacks).toMatchObject([{ state: 'failed', problem: 'no rights' }]);
  });

  it('ends with its signal', async () => {
    const source = scripted(['a']);
    watchStacks(source, stop.signal);
    await setImmediate();
    stop.abort();
    await second();
    expect(source.asked).toHaveLength(1);
  });
});
