import { describe, expect, it } from 'vitest';
import {
  lookAtPlugin,
  type PluginBefore,
  type PluginPod,
  pluginPod,
  pluginReadinessText,
  pluginResult,
} from './pluginReady.ts';

const began = Date.parse('2026-01-01T00:10:00.400Z');
const before: PluginBefore = { controlPlanes: 1, began, dead: new Set() };

const pod = (nodeName: string, ready: boolean, since: string, startedAt = since): PluginPod =>
  pluginPod.parse({
    metadata: {},
    spec: { nodeName },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }],
      containerStatuses: [{ state: { running: { startedAt } } }],
    },
  });

const early = '2026-01-01T00:00:00Z';
const late = '2026-01-01T00:10:05Z';

describe('the plugin', () => {
  it('that was ready before the command began is so already', () => {
    const seen = lookAtPlugin(undefined, [pod('a', true, early)], before, 0.3);
    expect(seen).toEqual({ nodes: 1, of: 1, after: 'already' });
    expect(pluginReadinessText(seen)).toBe('KMS plugin ready on 1 of 1 control-plane nodes already');
    expect(pluginResult(seen)).toEqual({ ready: 1, of: 1, seconds: null });
  });

  it('of a new stack is ready when its last node is', () => {
    const three = { ...before, controlPlanes: 3 };
    const none = lookAtPlugin(undefined, [], three, 1);
    expect(none).toEqual({ nodes: 0, of: 3, after: undefined });
    const two = lookAtPlugin(none, [pod('a', true, late), pod('b', true, late), pod('c', false, late)], three, 8);
    expect(pluginReadinessText(two)).toBe('KMS plugin ready on 2 of 3 control-plane nodes');
    const all = lookAtPlugin(
      two,
      ['a', 'b', 'c'].map((node) => pod(node, true, late)),
      three,
      9.64,
    );
    expect(pluginReadinessText(all)).toBe('KMS plugin ready on 3 of 3 control-plane nodes after 9.6 s');
    expect(pluginResult(all)).toEqual({ ready: 3, of: 3, seconds: 9.6 });
    expect(
      lookAtPlugin(
        all,
        ['a', 'b', 'c'].map((node) => pod(node, true, late)),
        three,
        20,
      ),
    ).toEqual(all);
  });

  it('that is replaced counts from when the new one is ready', () => {
    const old = lookAtPlugin(undefined, [pod('a', true, early)], before, 0.3);
    const between = lookAtPlugin(old, [pod('a', false, late)], before, 5);
    expect(between.after).toBeUndefined();
    expect(lookAtPlugin(between, [pod('a', true, late)], before, 7).after).toBe(7);
  });

  it('of a box that had died is not ready by what was known before', () => {
    const dead = { ...before, dead: new Set(['a']) };
    const stale = lookAtPlugin(undefined, [pod('a', true, early)], dead, 4);
    expect(stale).toEqual({ nodes: 0, of: 1, after: undefined });
    expect(lookAtPlugin(stale, [pod('a', true, early, late)], dead, 6).after).toBe(6);
  });

  it('that is on its way out does not count', () => {
    const going = { ...pod('a', true, early), metadata: { deletionTimestamp: early } };
    expect(lookAtPlugin(undefined, [going], before, 1).nodes).toBe(0);
  });
});
