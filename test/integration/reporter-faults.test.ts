import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { reporterAccount } from '../../infra/healthReporterAccess.ts';
import { chanceOf } from '../../operator/testing/random.ts';
import { readKubeconfig } from '../../reporter/kubeconfig.ts';
import {
  accountsPath,
  authorityOf,
  issueToken,
  readOperand,
  reporterIntervalMs,
  reportOf,
  see,
  seeReport,
} from './reporterRun.ts';
import { useReporters } from './reporterWorkplace.ts';

const here = useReporters();
const { start } = here;

const lastChecked = async (node: string): Promise<string | undefined> => {
  const message = (await reportOf(here.cluster, node))?.message;
  return message === undefined ? undefined : JSON.parse(message)[0].lastChecked;
};

/** Waits until a node has told something newer than there is now. */
const seeNewer = async (node: string): Promise<void> => {
  // An API server that has just come back may not know its kinds yet.
  const before = await see(`a report of ${node}`, () => lastChecked(node));
  await see(`a newer report of ${node}`, async () => ((await lastChecked(node)) === before ? undefined : true));
};

test('an API server that is away: reports are dropped, none is queued, and the first one after it is new', async () => {
  const { node, counts } = await start();
  await seeReport(here.cluster, node);
  const [box] = here.cluster.nodes;
  await box?.kill();
  const { dropped } = counts;
  await see('dropped reports', async () => (counts.dropped >= dropped + 10 ? true : undefined));
  const backAt = Date.now();
  await box?.boot();
  const { delivered } = counts;
  await seeNewer(node);
  const ticks = (Date.now() - backAt) / (0.9 * reporterIntervalMs);
  expect(counts.delivered - delivered).toBeLessThanOrEqual(Math.ceil(ticks));
  expect(Date.parse((await lastChecked(node)) ?? '')).toBeGreaterThan(backAt);
});

test('a token that is revoked, and the next one in the same file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  const path = join(dir, 'kubeconfig');
  const write = async (): Promise<void> => {
    const authority = authorityOf(here.cluster).toString('base64');
    const config = {
      clusters: [
        { name: 'c', cluster: { server: here.cluster.client.server, 'certificate-authority-data': authority } },
      ],
      users: [{ name: 'u', user: { token: await issueToken(here.cluster) } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path, JSON.stringify(config));
  };
  try {
    const { node, counts } = await start({ access: () => readKubeconfig(path) });
    await see('dropped reports without a kubeconfig', async () => (counts.dropped >= 2 ? true : undefined));
    await write();
    await seeReport(here.cluster, node);
    const account = `${accountsPath}/${reporterAccount.name}`;
    await here.cluster.client.send({ method: 'DELETE', path: account });
    const { dropped } = counts;
    await see('dropped reports', async () => (counts.dropped >= dropped + 3 ? true : undefined), 60_000);
    const { delivered } = counts;
    await sleep(3 * reporterIntervalMs);
    expect(counts.delivered).toBe(delivered);
    await here.cluster.client.send({
      method: 'POST',
      path: accountsPath,
      body: { metadata: { name: reporterAccount.name } },
    });
    await write();
    await seeNewer(node);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('the object is deleted, and there again', async () => {
  const { node, counts } = await start();
  await seeReport(here.cluster, node);
  const collection = '/apis/operator.openshift.io/v1/kubeapiservers';
  await here.cluster.client.send({ method: 'DELETE', path: `${collection}/cluster` });
  const { dropped } = counts;
  await see('dropped reports', async () => (counts.dropped >= dropped + 3 ? true : undefined));
  await here.cluster.client.send({
    method: 'POST',
    path: collection,
    body: {
      apiVersion: 'operator.openshift.io/v1',
      kind: 'KubeAPIServer',
      metadata: { name: 'cluster' },
      spec: { managementState: 'Managed' },
    },
  });
  await seeReport(here.cluster, node);
});

/** Stands before the API server, and breaks one of two connections at once, the others after a while. */
const startBreaker = async (): Promise<{ readonly url: string; close(): void }> => {
  const { hostname, port } = new URL(here.cluster.client.server);
  const open = new Set<Socket>();
  const chance = chanceOf(7);
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => {});
    if (chance.happens(0.5)) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    open.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
    setTimeout(() => client.destroy(), 3 * reporterIntervalMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${at}`,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
};

test('half of the calls fail: the other half is delivered', async () => {
  const breaker = await startBreaker();
  const headers = { authorization: `Bearer ${await issueToken(here.cluster)}` };
  // The certificate is for the API server's own address.
  const credentials = { ca: authorityOf(here.cluster), headers, checkServerIdentity: () => undefined };
  const { node, counts, stop } = await start({ access: async () => ({ server: breaker.url, credentials }) });
  await see('some of both', async () => (counts.delivered > 5 && counts.dropped > 5 ? true : undefined), 30_000);
  await stop();
  breaker.close();
  expect(await reportOf(here.cluster, node)).toMatchObject({ status: 'True' });
});

test('a clock that jumps backwards: reports go on, and say so', async () => {
  let offset = 0;
  const { node } = await start({ now: () => new Date(Date.now() + offset), conditionStatus: 'derived' });
  const { condition } = await seeReport(here.cluster, node);
  offset = -86_400_000;
  const { reports, condition: later } = await seeReport(
    here.cluster,
    node,
    ([report]) => Date.parse(report?.lastChecked ?? '') < Date.now() - 80_000_000,
  );
  expect(reports[0]?.status).toBe('healthy');
  expect(later.lastTransitionTime).toBe(condition.lastTransitionTime);
  await seeNewer(node);
});

test('a plugin that is away is never reported as healthy', async () => {
  const { node } = await start({ keys: ['1', '2'] });
  const { reports } = await seeReport(here.cluster, node);
  expect(reports.map(({ status }) => status)).toEqual(['healthy', 'error']);
});

test('ten reporters on one object lose nothing of each other', async () => {
  const reporters = await Promise.all(
    Array.from({ length: 10 }, () => start({ intervalMs: 500, writeTimeoutMs: 10_000 })),
  );
  for (const { node } of reporters) await seeReport(here.cluster, node);
  const before = (await readOperand(here.cluster)).status?.conditions?.length ?? 0;
  await Promise.all(reporters.map(({ node }) => seeNewer(node)));
  expect((await readOperand(here.cluster)).status?.conditions).toHaveLength(before);
  expect(reporters.every(({ counts }) => counts.dropped === 0)).toBe(true);
});
