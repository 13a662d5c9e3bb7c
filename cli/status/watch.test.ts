import { describe, expect, it } from 'vitest';
import { watch } from './watch.ts';

/** Watches some states, one a millisecond, and stops after the last. */
const watched = async (
  states: readonly string[],
  screen: { readonly isTTY?: boolean; readonly rows?: number; readonly json?: boolean },
): Promise<string> => {
  const written: string[] = [];
  const stop = new AbortController();
  const left = [...states];
  await watch({
    look: async () => {
      const [state = ''] = left.splice(0, 1);
      if (left.length === 0) stop.abort();
      return state;
    },
    render: (state) => state,
    json: screen.json === true,
    screen: { ...screen, write: (text) => written.push(text) },
    signal: stop.signal,
    intervalMs: 1,
  });
  return written.join('');
};

describe('watch', () => {
  it('prints a block when something has changed', async () => {
    expect(await watched(['a\nb', 'a\nb', 'c', 'c', 'a\nb'], {})).toBe('a\nb\n\nc\n\na\nb\n');
  });

  it('prints a line of JSON a change, on a terminal too', async () => {
    expect(await watched(['1', '1', '2'], { json: true, isTTY: true })).toBe('1\n2\n');
  });

  it('redraws a terminal in place, and gives it back as it was', async () => {
    const shown = await watched(['a\nb', 'a\nb'], { isTTY: true, rows: 24 });
    expect(shown.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true);
    expect(shown.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    expect(shown.split('\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J')).toHaveLength(3);
  });

  it('leaves out what does not fit', async () => {
    expect(await watched(['a\nb\nc'], { isTTY: true, rows: 3 })).not.toContain('c\x1b[K');
  });

  it('gives the terminal back when looking fails', async () => {
    const written: string[] = [];
    const watching = watch({
      look: () => Promise.reject(new Error('no')),
      render: () => '',
      json: false,
      screen: { isTTY: true, write: (text) => written.push(text) },
      signal: new AbortController().signal,
    });
    await expect(watching).rejects.toThrow('no');
    expect(written.at(-1)).toBe('\x1b[?25h\x1b[?1049l');
  });
});
