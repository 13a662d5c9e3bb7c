import { expect, test } from 'vitest';
import { targetNames, targets } from '../../common/kmsHealthTarget.ts';
import { kubeClient } from '../../common/kubeClient.ts';
import { reporterAccount } from '../../infra/healthReporterAccess.ts';
import { accessOf, accountsPath, readOperand, reportOf, see, seeReport } from './reporterRun.ts';
import { useReporters } from './reporterWorkplace.ts';

const here = useReporters(targetNames);
const { start } = here;

test('a condition a tick, by a field manager of its own', async () => {
  const { node } = await start();
  const { condition, reports } = await seeReport(here.cluster, node);
  expect(condition).toMatchObject({ status: 'True', reason: 'AsExpected' });
  expect(reports).toEqual([{ keyID: '1', kekID: 'kek-1', status: 'healthy', lastChecked: expect.any(String) }]);
  here.plugin.answer({ healthz: 'sealed', keyId: 'kek-2' });
  const later = await seeReport(here.cluster, node, ([report]) => report?.status === 'unhealthy');
  expect(later.reports).toMatchObject([{ kekID: 'kek-2', detail: 'sealed' }]);
  expect(later.condition.lastTransitionTime).toBe(condition.lastTransitionTime);
  const { managedFields } = (await readOperand(here.cluster)).metadata;
  expect(managedFields.filter(({ manager }) => manager === `kms-health-reporter-${node}`)).toMatchObject([
    { operation: 'Apply', subresource: 'status' },
  ]);
});

test('derived: the time of a status is kept while it stays, also by the next process, and new with another one', async () => {
  const nodeName = 'derived-node';
  const { stop } = await start({ nodeName, conditionStatus: 'derived', now: () => new Date('2026-11-26T10:00:00Z') });
  await seeReport(here.cluster, nodeName);
  await stop();
  await start({ nodeName, conditionStatus: 'derived', now: () => new Date('2026-11-26T11:00:00Z') });
  const before = await reportOf(here.cluster, nodeName);
  const same = await seeReport(here.cluster, nodeName);
  expect(before?.lastTransitionTime).toBe('2026-11-26T10:00:00Z');
  expect(same.condition).toMatchObject({ status: 'True', lastTransitionTime: '2026-11-26T10:00:00Z' });
  here.plugin.answer({ healthz: 'sealed' });
  const { condition } = await seeReport(here.cluster, nodeName, ([report]) => report?.status === 'unhealthy');
  expect(condition).toMatchObject({ status: 'False', reason: 'Unhealthy', lastTransitionTime: '2026-11-26T11:00:00Z' });
});

test.each(targetNames)('reports to %s, in a condition or typed', async (target) => {
  if (target !== 'kubeapiservers') {
    await here.cluster.client.send({
      method: 'POST',
      path: `/apis/operator.openshift.io/v1/${target}`,
      body: {
        apiVersion: 'operator.openshift.io/v1',
        kind: targets[target].kind,
        metadata: { name: 'cluster' },
        spec: { managementState: 'Managed' },
      },
    });
  }
  const { node, stop } = await start({ target });
  await seeReport(here.cluster, node, ([report]) => report?.status === 'healthy', target);
  await stop();
  // The same node goes over to typed reports, of which one plugin has never answered.
  await start({ target, nodeName: node, reportTo: 'health-reports', keys: ['1', '2'] });
  const reports = await see('typed reports', async () => {
    const { encryptionStatus, oauthAPIServer } = (await readOperand(here.cluster, target)).status ?? {};
    const found = (encryptionStatus ?? oauthAPIServer?.encryptionStatus)?.healthReports ?? [];
    const own = found.filter(({ nodeName }) => nodeName === node);
    return own.length === 2 ? own : undefined;
  });
  expect(reports).toMatchObject([
    { keyID: '1', remoteKeyID: 'kek-1', status: 'Healthy' },
    { keyID: '2', remoteKeyID: 'unknown', status: 'Error', detail: expect.stringContaining('ENOENT') },
  ]);
  expect(await reportOf(here.cluster, node, target)).toBeUndefined();
});

test.each(['conditions', 'health-reports'] as const)(
  'takes back its %s where there are no sockets any more',
  async (reportTo) => {
    let keys = ['1'];
    const path = `${here.plugin.dir}/kms-1.sock`;
    const current = async () => keys.map((keyID) => ({ keyID, path }));
    const { node } = await start({ reportTo, source: { current } });
    const own = async () => {
      const { conditions = [], encryptionStatus } = (await readOperand(here.cluster)).status ?? {};
      return [
        ...conditions.map(({ type }) => type),
        ...(encryptionStatus?.healthReports ?? []).map(({ nodeName }) => nodeName),
      ].filter((name) => String(name).endsWith(node));
    };
    await see('what it says', async () => ((await own()).length === 1 ? true : undefined));
    keys = [];
    await see('nothing of it', async () => ((await own()).length === 0 ? true : undefined));
    keys = ['1'];
    await see('what it says again', async () => ((await own()).length === 1 ? true : undefined));
  },
);

test('texts of a megabyte, and what is no text, are taken by the API server', async () => {
  here.plugin.answer({ healthz: '\u0000\u001b😀"\\'.repeat(150_000), keyId: 'k'.repeat(1_000_000) });
  const [plain, typed] = await Promise.all([start(), start({ reportTo: 'health-reports' })]);
  const { reports } = await seeReport(here.cluster, plain.node, ([report]) => report?.status === 'unhealthy');
  expect([...(reports[0]?.detail ?? '')]).toHaveLength(1_024);
  const found = await see('the typed report', async () =>
    (await readOperand(here.cluster)).status?.encryptionStatus?.healthReports?.find(
      ({ nodeName }) => nodeName === typed.node,
    ),
  );
  expect(found).toMatchObject({ status: 'Unhealthy', remoteKeyID: 'unknown' });
});

test('the account may do that, and nothing else', async () => {
  const client = kubeClient(await accessOf(here.cluster));
  const refused = async (method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
    const asked = client.send({ method, path, ...(body && { body }), ...contentType });
    await expect(asked, `${method} ${path}`).rejects.toMatchObject({ code: 403 });
  };
  const operand = '/apis/operator.openshift.io/v1/kubeapiservers';
  await client.send({ method: 'GET', path: `${operand}/cluster/status` });
  await refused('GET', operand);
  await refused('GET', `${operand}/cluster`);
  await refused('PATCH', `${operand}/cluster`, { spec: { managementState: 'Unmanaged' } });
  await refused('PUT', `${operand}/cluster/status`, await readOperand(here.cluster));
  await refused('DELETE', `${operand}/cluster`);
  await refused('GET', `${operand}/other/status`);
  await refused('GET', '/apis/operator.openshift.io/v1/authentications/cluster');
  await refused('GET', '/apis/config.openshift.io/v1/apiservers/cluster');
  await refused('PATCH', '/apis/config.openshift.io/v1/apiservers/cluster', { spec: { encryption: null } });
  await refused('GET', '/apis/understudy.dev/v1alpha1/kmsbackends/cluster');
  await refused('GET', '/api/v1/secrets');
  await refused('GET', `/api/v1/namespaces/${reporterAccount.namespace}/secrets/kms-health-reporter-token`);
  await refused('GET', '/api/v1/nodes');
  await refused('POST', `${accountsPath}/${reporterAccount.name}/token`, { spec: {} });
  await refused('GET', '/metrics');
  // The status subresource takes no more than status.
  await client.apply(`${operand}/cluster/status`, 'kms-health-reporter-x', {
    apiVersion: 'operator.openshift.io/v1',
    kind: 'KubeAPIServer',
    metadata: { name: 'cluster' },
    spec: { managementState: 'Removed' },
    status: {},
  });
  expect(await readOperand(here.cluster)).toMatchObject({ spec: { managementState: 'Managed' } });
  client.close();
});
