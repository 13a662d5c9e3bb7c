import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identityConfiguration } from '../../cluster/encryptionConfiguration.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { createLog } from '../../common/log.ts';
import type { ApiServerProcess } from '../../operator/installer/apiServerProcess.ts';
import { hashOf } from '../../operator/installer/encryptionFile.ts';
import { staticPodApiServer } from '../../operator/installer/staticPodApiServer.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';

let folder: string;
let path: string;
let server: ApiServer;
let client: KubeClient;

const log = createLog();
log.level = 'silent';
const never = new AbortController().signal;

const processWithin = (loadedWithinMs: number): ApiServerProcess =>
  staticPodApiServer({ client, loadedWithinMs, pollMs: 100, log });

const aescbc = JSON.stringify({
  kind: 'EncryptionConfiguration',
  apiVersion: 'apiserver.config.k8s.io/v1',
  resources: [
    {
      resources: ['secrets'],
      providers: [
        { aescbc: { keys: [{ name: '1', secret: Buffer.alloc(32, 1).toString('base64') }] } },
        { identity: {} },
      ],
    },
  ],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'static-pod-'));
  path = join(folder, 'encryption-config.yaml');
  await writeFile(path, identityConfiguration);
  const flags = [`--encryption-provider-config=${path}`, '--encryption-provider-config-automatic-reload=true'];
  server = await startApiServer({ flags });
  const config = new KubeConfig();
  config.loadFromString(server.kubeconfig);
  client = clientOf(config);
});

afterAll(async () => {
  client?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('is one instance, with the file that it began with', async () => {
  const instances = await processWithin(1_000).instances(never);
  expect(instances).toEqual([
    { name: 'kube-apiserver', since: expect.any(Number), loaded: hashOf(await readFile(path, 'utf8')) },
  ]);
});

it('a file that is not loaded in time is a failure that says that the old one is in force', async () => {
  await expect(processWithin(500).handOver(hashOf(aescbc), never)).rejects.toThrow(
    /serves on with the old one after 0.5 s/,
  );
});

it('takes a new file without a restart, and only then has it been handed over', async () => {
  const apiServer = processWithin(110_000);
  const [before] = await apiServer.instances(never);
  await writeFile(path, aescbc);
  await apiServer.handOver(hashOf(aescbc), never);
  expect(await apiServer.instances(never)).toEqual([{ ...before, loaded: hashOf(aescbc) }]);
});

it('waits no longer than it is told to', async () => {
  const handingOver = processWithin(60_000).handOver('0', AbortSignal.timeout(300));
  await expect(handingOver).rejects.toThrow();
});
