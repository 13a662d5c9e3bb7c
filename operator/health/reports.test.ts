import { expect, it } from 'vitest';
import { nodeReports, type ReportedStatus, removalPatch } from './reports.ts';
import { plugin, told } from './testReports.ts';

const other = { type: 'Encrypted', status: 'True', lastTransitionTime: '2026-11-26T18:00:00Z' } as const;
const typed = (nodeName: string, keyID = '1') =>
  ({
    nodeName,
    keyID,
    remoteKeyID: 'kek-1',
    status: 'Error',
    lastCheckedTime: '2026-11-26T18:00:00Z',
    detail: 'no',
  }) as const;

it('reads conditions and typed reports alike, a node once', () => {
  const status: ReportedStatus = {
    conditions: [other, told('b', plugin()), { ...told('a'), message: 'nonsense' }],
    encryptionStatus: { healthReports: [typed('c'), typed('b')] },
  };
  expect(nodeReports(status).map(({ node, plugins }) => [node, plugins])).toEqual([
    ['a', undefined],
    ['b', [plugin()]],
    ['c', [{ keyID: '1', status: 'error', lastChecked: '2026-11-26T18:00:00Z', detail: 'no' }]],
  ]);
  expect(nodeReports({ oauthAPIServer: { encryptionStatus: { healthReports: [typed('c')] } } })).toHaveLength(1);
  expect(nodeReports({})).toEqual([]);
});

/** As the API server does it. */
const patched = (status: ReportedStatus, patch: readonly object[]): ReportedStatus => {
  const copy = structuredClone({ status });
  for (const operation of patch as readonly { op: string; path: string; value?: unknown }[]) {
    const keys = operation.path.split('/').slice(1);
    const last = keys.pop() ?? '';
    const parent = keys.reduce<object>((value, key) => Reflect.get(value, key), copy);
    if (operation.op === 'test') expect(Reflect.get(parent, last)).toEqual(operation.value);
    else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else Reflect.deleteProperty(parent, last);
  }
  return copy.status;
};

it('takes away what some nodes have said, and nothing else', () => {
  const status: ReportedStatus = {
    conditions: [told('a', plugin()), other, told('b', plugin()), told('c', plugin())],
    encryptionStatus: { healthReports: [typed('a'), typed('a', '2'), typed('b')] },
  };
  expect(removalPatch(status, new Set())).toEqual([]);
  expect(patched(status, removalPatch(status, new Set(['a', 'c'])))).toEqual({
    conditions: [other, told('b', plugin())],
    encryptionStatus: { healthReports: [typed('b')] },
  });
  expect(patched(status, removalPatch(status, new Set(['a', 'b', 'c'])))).toEqual({
    conditions: [other],
  });
  const preflight = { preflight: { observedConfigHash: 'x' } };
  const more = { encryptionStatus: { ...preflight, ...status.encryptionStatus } };
  expect(patched(more, removalPatch(more, new Set(['a', 'b', 'c'])))).toEqual({ encryptionStatus: preflight });
  const oauth: ReportedStatus = { oauthAPIServer: { encryptionStatus: { healthReports: [typed('a'), typed('b')] } } };
  expect(patched(oauth, removalPatch(oauth, new Set(['a'])))).toEqual({
    oauthAPIServer: { encryptionStatus: { healthReports: [typed('b')] } },
  });
});
