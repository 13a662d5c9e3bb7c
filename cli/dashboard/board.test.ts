import { describe, expect, it } from 'vitest';
import { boardOf, boardSince, type Finding, type StackBoard, withFinding } from './board.ts';
import { testPlugin, testStatus, testUnreachable } from './testStatus.ts';

const limits = { keepMs: 60_000, longestGapMs: 15_000, mostSegments: 100 };

const seen = (...plugins: readonly ReturnType<typeof testPlugin>[]): Finding => ({
  kind: 'seen',
  status: testStatus({ plugins }),
  dead: [],
});

/** A look each second. */
const looked = (...findings: readonly Finding[]): StackBoard =>
  findings.reduce((board, finding, second) => withFinding(board, finding, second * 1_000, limits), boardOf('team'));

const statuses = ({ tracks }: StackBoard) =>
  tracks.map(({ node, keyID, segments }) => [node, keyID, segments.map(({ status }) => status).join(' ')]);

describe('a board', () => {
  it('has a track for each key of each node, the newest key first', () => {
    const board = looked(
      seen(testPlugin({ node: 'b' }), testPlugin({ keyID: '9' }), testPlugin({ keyID: '10' })),
      seen(testPlugin({ node: 'b', status: 'error' }), testPlugin({ keyID: '9' }), testPlugin({ keyID: '10' })),
    );
    expect(statuses(board)).toEqual([
      ['a', '10', 'healthy'],
      ['a', '9', 'healthy'],
      ['b', '1', 'healthy error'],
    ]);
    expect(board).toMatchObject({ state: 'seen', problem: '', seenAt: 1_000 });
  });

  it('keeps what a key was that is no more served, until that is too long ago', () => {
    const board = looked(seen(testPlugin(), testPlugin({ keyID: '2' })), seen(testPlugin({ keyID: '2' })));
    expect(board.tracks.map(({ keyID, served }) => [keyID, served])).toEqual([
      ['2', true],
      ['1', false],
    ]);
    const later = withFinding(board, seen(testPlugin({ keyID: '2' })), 61_000, limits);
    expect(later.tracks.map(({ keyID }) => keyID)).toEqual(['2']);
  });

  it('tells the worse of two that serve the same key of a node', () => {
    const ill = testPlugin({ status: 'unhealthy', detail: 'pod q is not Ready' });
    for (const plugins of [
      [testPlugin(), ill],
      [ill, testPlugin()],
      [ill, ill],
    ]) {
      expect(statuses(looked(seen(...plugins)))).toEqual([['a', '1', 'unhealthy']]);
    }
  });

  it('keeps the last state of a cluster that does not answer, whose plugins are unknown', () => {
    const status = testUnreachable('connection refused');
    const board = looked(seen(testPlugin()), { kind: 'seen', status, dead: ['a'] });
    expect(board).toMatchObject({ state: 'unreachable', problem: 'connection refused', seenAt: 0, dead: ['a'] });
    expect(board.status).toEqual(testStatus());
    expect(statuses(board)).toEqual([['a', '1', 'healthy unknown']]);
    expect(board.tracks[0]?.segments.at(-1)).toMatchObject({ detail: 'connection refused', kekID: null });
    expect(statuses(withFinding(board, seen(testPlugin()), 2_000, limits))).toEqual([
      ['a', '1', 'healthy unknown healthy'],
    ]);
  });

  it('has the names of the nodes of a cluster that never answered', () => {
    const board = looked({ kind: 'seen', status: testUnreachable('no route'), dead: [] });
    expect(board).toMatchObject({
      state: 'unreachable',
      seenAt: null,
      status: { cluster: { nodes: [{ name: 'a' }] } },
    });
  });

  it('keeps the last state where looking fails', () => {
    const board = looked(seen(testPlugin()), { kind: 'failed', problem: 'no rights' });
    expect(board).toMatchObject({ state: 'failed', problem: 'no rights', status: { stack: 'team' } });
    expect(statuses(board)).toEqual([['a', '1', 'healthy unknown']]);
  });

  it('forgets a cluster that is gone', () => {
    expect(looked(seen(testPlugin()), { kind: 'down', problem: 'it is not up' })).toEqual({
      ...boardOf('team'),
      state: 'down',
      problem: 'it is not up',
    });
  });

  it('gives only what has changed since', () => {
    const board = looked(
      seen(testPlugin()),
      seen(testPlugin({ status: 'error' })),
      seen(testPlugin({ status: 'error' })),
    );
    expect(statuses(boardSince(board, 0))).toEqual([['a', '1', 'healthy error']]);
    expect(statuses(boardSince(board, 1_500))).toEqual([['a', '1', 'error']]);
    expect(statuses(boardSince(board, 2_500))).toEqual([['a', '1', '']]);
  });
});
