import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identityConfiguration } from '../../cluster/encryptionConfiguration.ts';
import { hasCode } from '../../common/failure.ts';
import { writeFileWhole } from '../../common/files.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { ApiServerProcess } from '../../operator/installer/apiServerProcess.ts';
import { hashOf } from '../../operator/installer/encryptionFile.ts';
import { manifestFolder } from '../../operator/installer/manifestFolder.ts';
import { staticPodApiServer } from '../../operator/installer/staticPodApiServer.ts';
import { aescbc, encryptionConfiguration, identity } from './installerRun.ts';
import { type StaticPodNode, startStaticPodNode } from './staticPodNode.ts';

let node: StaticPodNode;
let apiServer: ApiServerProcess;

const log = createLog();
log.level = process.env.LOG_LEVEL ?? 'silent';
const never = new AbortController().signal;

const encrypting = encryptionConfiguration(aescbc(1, Buffer.alloc(32, 1)), identity);

beforeAll(async () => {
  node = await startStaticPodNode(identityConfiguration);
  const { name, own, loopback } = node;
  const manifests = manifestFolder(node.manifestsDir);
  apiServer = staticPodApiServer({ node: name, manifests, own, loopback, readyWithinMs: 60_000, log });
  await settled('kube-apiserver', identityConfiguration);
}, 60_000);

afterAll(() => node?.stop());

/** One runs, and has loaded this. */
const settled = (name: string, configuration: string): Promise<unknown> =>
  waitFor(
    async () => {
      expect(await apiServer.instances(never)).toEqual([
        { name, since: expect.any(Number), loaded: hashOf(configuration) },
      ]);
      return true;
    },
    { what: `${name} alone`, timeoutMs: 30_000, next: 'see the log of kube-apiserver' },
  );

const shown = async (): Promise<readonly string[]> =>
  (await readdir(node.manifestsDir)).filter((name) => !name.startsWith('.'));

/** Connects to the node again and again, until it is told to stop. @returns how often it was refused */
const countRefusals = (): (() => Promise<number>) => {
  const { hostname, port } = new URL(node.own.server);
  let refusals = 0;
  let stopped = false;
  const tryOnce = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      socket.once('connect', () => socket.destroy());
      socket.once('error', (error) => {
        if (hasCode(error, 'ECONNREFUSED')) refusals += 1;
      });
      socket.once('close', () => setTimeout(resolve, 5));
    });
  const trying = (async () => {
    while (!stopped) await tryOnce();
  })();
  return async () => {
    stopped = true;
    await trying;
    return refusals;
  };
};

it('has another one take over with the new file, and back, and no client is ever refused', async () => {
  const refusals = countRefusals();
  await writeFileWhole(node.configurationPath, encrypting);
  await apiServer.handOver(hashOf(encrypting), never);
  await settled('kube-apiserver-b', encrypting);
  expect(await shown()).toEqual(['kube-apiserver-b.yaml']);
  await writeFileWhole(node.configurationPath, identityConfiguration);
  await apiServer.handOver(hashOf(identityConfiguration), never);
  await settled('kube-apiserver', identityConfiguration);
  expect(await shown()).toEqual(['kube-apiserver.yaml']);
  expect(await refusals()).toBe(0);
}, 90_000);

it('says why one ended that cannot start, and leaves the old one alone', async () => {
  const [before] = await apiServer.instances(never);
  await writeFileWhole(node.configurationPath, '{"kind":"Nonsense"}');
  await expect(apiServer.handOver(hashOf('{"kind":"Nonsense"}'), never)).rejects.toThrow(
    /as static pod kube-apiserver-b[\s\S]*it ended \(exit code 1: /,
  );
  await writeFileWhole(node.configurationPath, identityConfiguration);
  expect(await apiServer.instances(never)).toEqual([before]);
  expect(await shown()).toEqual(['kube-apiserver.yaml']);
}, 60_000);

it('stops waiting when it is told to end, and the next one finds what serves', async () => {
  const [before] = await apiServer.instances(never);
  await expect(apiServer.handOver('0', AbortSignal.timeout(300))).rejects.toThrow();
  expect(await shown()).toEqual(['kube-apiserver.yaml']);
  await settled('kube-apiserver', identityConfiguration);
  expect(await apiServer.instances(never)).toEqual([before]);
}, 60_000);

it('finds two that a handover left behind, and ends the one that it is told to', async () => {
  const giveUp = new AbortController();
  const handingOver = apiServer.handOver('0', giveUp.signal).catch(() => {});
  await waitFor(
    async () => {
      const instances = await apiServer.instances(never);
      expect(instances.map(({ loaded }) => loaded)).toEqual(Array(2).fill(hashOf(identityConfiguration)));
      return true;
    },
    { what: 'both', timeoutMs: 30_000, next: 'see the log of kube-apiserver' },
  );
  await apiServer.end('kube-apiserver');
  expect(await shown()).toEqual(['kube-apiserver-b.yaml']);
  giveUp.abort();
  await handingOver;
}, 60_000);

it('starts one where somebody took all manifests away', async () => {
  expect(await shown()).toEqual([]);
  expect(await apiServer.instances(never)).toEqual([]);
  await apiServer.start();
  await settled('kube-apiserver', identityConfiguration);
}, 60_000);
