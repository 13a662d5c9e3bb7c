import { describe, expect, it } from 'vitest';
import type { OperatorCondition } from '../observation.ts';
import { noon } from '../testing/fixtures.ts';
import { type ClusterOperatorInput, clusterOperatorStatus, openShiftInertia } from './status.ts';

const since = '2026-11-21T11:00:00Z';
const healthy: readonly OperatorCondition[] = [
  { type: 'EncryptionKeyControllerDegraded', status: 'False', lastTransitionTime: since },
  { type: 'EncryptionMigrationControllerProgressing', status: 'False', lastTransitionTime: since },
  { type: 'StaticPodsAvailable', status: 'True', lastTransitionTime: since, message: '3 nodes are active' },
  { type: 'Encrypted', status: 'True', lastTransitionTime: since, reason: 'EncryptionCompleted' },
];
const broken: OperatorCondition = {
  type: 'EncryptionKeyControllerDegraded',
  status: 'True',
  lastTransitionTime: since,
  reason: 'Error',
  message: 'no AppRole secret',
};

const statusOf = (changes: Partial<ClusterOperatorInput> = {}) =>
  clusterOperatorStatus({
    operator: { managementState: 'Managed', conditions: healthy },
    shown: {},
    version: '1.36.3',
    inertia: openShiftInertia,
    now: noon,
    ...changes,
  });

const summary = ({ status }: ReturnType<typeof statusOf>) =>
  status.conditions.map((one) => [one.type, one.status, one.reason]);

it('fills in an object that says nothing', () => {
  const outcome = statusOf();
  expect(outcome).toMatchObject({ changed: true, recheckAfterMs: undefined });
  expect(outcome.status.conditions).toEqual(
    [
      { type: 'Degraded', status: 'False', reason: 'AsExpected', message: 'All is well' },
      { type: 'Progressing', status: 'False', reason: 'AsExpected', message: 'All is well' },
      { type: 'Available', status: 'True', reason: 'AsExpected', message: 'StaticPodsAvailable: 3 nodes are active' },
      { type: 'Upgradeable', status: 'Unknown', reason: 'NoData' },
      { type: 'EvaluationConditionsDetected', status: 'Unknown', reason: 'NoData' },
    ].map((condition) => ({ ...condition, lastTransitionTime: '2026-11-21T12:00:00Z' })),
  );
  expect(outcome.status.versions).toEqual([
    { name: 'operator', version: '1.36.3' },
    { name: 'kube-apiserver', version: '1.36.3' },
  ]);
  expect(outcome.status.relatedObjects[0]).toEqual({
    group: 'operator.openshift.io',
    resource: 'kubeapiservers',
    name: 'cluster',
  });
});

it('knows nothing of a new KubeAPIServer', () => {
  const outcome = statusOf({ operator: { conditions: [] } });
  expect(new Set(outcome.status.conditions.map(({ status, reason }) => `${status} ${reason}`))).toEqual(
    new Set(['Unknown NoData']),
  );
});

it.each<[string | undefined, string]>([
  ['Unmanaged', 'Unknown Unmanaged'],
  ['Managed', 'True EncryptionKeyController_Error'],
  ['Removed', 'True EncryptionKeyController_Error'],
  [undefined, 'True EncryptionKeyController_Error'],
])('with managementState %s Degraded is %s', (managementState, expected) => {
  const operator = { ...(managementState && { managementState }), conditions: [broken] };
  const [degraded, ...others] = summary(statusOf({ operator }));
  expect(`${degraded?.[1]} ${degraded?.[2]}`).toBe(expected);
  if (managementState === 'Unmanaged') {
    expect(others.every(([, status, reason]) => status === 'Unknown' && reason === 'Unmanaged')).toBe(true);
    expect(others).toHaveLength(4);
  }
});

describe('once it is shown', () => {
  const shown = statusOf().status;
  const later = noon + 600_000;

  it('nothing changes with time, nor with what has none of the suffixes', () => {
    expect(statusOf({ shown, now: later })).toEqual({ status: shown, changed: false, recheckAfterMs: undefined });
    const report: OperatorCondition = { ...broken, type: 'KMSHealthReporter_node-1', message: '[]' };
    const operator = { conditions: [...healthy, report] };
    expect(statusOf({ shown, operator, now: later })).toMatchObject({ status: shown, changed: false });
  });

  it('and read back in another order of fields, nothing changes either', () => {
    const relatedObjects = shown.relatedObjects.map(({ group, name, resource }) => ({ name, resource, group }));
    expect(statusOf({ shown: { ...shown, relatedObjects } }).changed).toBe(false);
  });

  it('a new message leaves the time of the status', () => {
    const conditions = [
      ...healthy.slice(0, 2),
      { ...broken, type: 'StaticPodsAvailable', message: '2 nodes are active' },
    ];
    const { status, changed } = statusOf({ shown, operator: { conditions }, now: later });
    expect(changed).toBe(true);
    expect(status.conditions[2]).toEqual({
      ...shown.conditions[2],
      message: 'StaticPodsAvailable: 2 nodes are active',
    });
  });

  it('a new status has a time of its own, that of its cause or not', () => {
    const { status } = statusOf({ shown, operator: { conditions: [broken, ...healthy.slice(1)] }, now: later });
    expect(status.conditions[0]).toEqual({
      type: 'Degraded',
      status: 'True',
      reason: 'EncryptionKeyController_Error',
      message: 'EncryptionKeyControllerDegraded: no AppRole secret',
      lastTransitionTime: '2026-11-21T12:10:00Z',
    });
    expect(status.conditions[1]).toEqual(shown.conditions[1]);
  });

  it('a cause that is held back is looked at again in time', () => {
    const young = { ...broken, lastTransitionTime: '2026-11-21T11:59:00Z' };
    const { status, recheckAfterMs } = statusOf({ shown, operator: { conditions: [young, ...healthy.slice(1)] } });
    expect(status.conditions[0]?.status).toBe('False');
    expect(recheckAfterMs).toBe(60_001);
  });

  it.each<[string, Partial<typeof shown>]>([
    ['a condition that was removed', { conditions: shown.conditions.slice(1) }],
    ['another version', { versions: [{ name: 'operator', version: '1.35.0' }] }],
    ['no related objects', { relatedObjects: [] }],
  ])('%s is mended', (_, damage) => {
    const outcome = statusOf({ shown: { ...shown, ...damage } });
    expect(outcome).toMatchObject({ changed: true, status: { versions: shown.versions } });
    expect(outcome.status).toEqual(shown);
  });
});
