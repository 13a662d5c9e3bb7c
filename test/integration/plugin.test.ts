import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { status as GrpcStatus } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createWorkplace,
  type Encrypted,
  type KmsClient,
  kmsClient,
  logLines,
  type RunningPlugin,
  runPlugin,
  startPlugin,
  type Workplace,
} from './plugin.process.ts';

const seed = Buffer.from('a plaintext that nobody may see!');

let workplace: Workplace;

beforeEach(async () => {
  workplace = await createWorkplace();
  return workplace.remove;
});

const withClient = async <T>(work: (client: KmsClient) => Promise<T>): Promise<T> => {
  const client = kmsClient(workplace.socket);
  try {
    return await work(client);
  } finally {
    client.close();
  }
};

const encrypt = (): Promise<Encrypted> => withClient((client) => client.encrypt(seed));
const decrypt = (encrypted: Encrypted): Promise<Buffer> => withClient((client) => client.decrypt(encrypted));

test('serves a real gRPC client, then leaves by SIGTERM', async () => {
  const plugin = await startPlugin(workplace, '--log-level=debug');
  const encrypted = await withClient(async (client) => {
    const { keyId, ...status } = await client.status();
    expect(status).toEqual({ version: 'v2', healthz: 'ok' });
    const made = await client.encrypt(seed);
    expect(made.keyId).toBe(keyId);
    expect(made.ciphertext).toHaveLength(seed.length + 28);
    expect(await client.decrypt(made)).toEqual(seed);
    return made;
  });
  expect((await lstat(workplace.socket)).mode & 0o777).toBe(0o600);
  expect((await lstat(workplace.keystore)).mode & 0o777).toBe(0o600);
  const key: string = JSON.parse(await readFile(workplace.keystore, 'utf8')).seed;

  const { code, stdout, stderr } = await plugin.stop();
  expect(code).toBe(0);
  expect(stderr).toBe('');
  const lines = logLines(stdout);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'serving key',
    'serving KMS v2',
    'answered',
    'answered',
    'answered',
    'draining',
    'serving key no more',
    'ended',
  ]);
  expect(lines).toContainEqual(expect.objectContaining({ method: 'Decrypt', uid: 'uid-of-decrypt', level: 'debug' }));
  for (const secret of [seed.toString(), seed.toString('base64'), seed.toString('hex'), key.slice(0, 20)]) {
    expect(stdout).not.toContain(secret);
  }
  expect(encrypted.ciphertext.includes(seed.subarray(0, 8))).toBe(false);
  expect(await readdir(`${workplace.dir}/run`)).toEqual([]);
});

test('SIGINT ends it too', async () => {
  const plugin = await startPlugin(workplace);
  expect((await plugin.stop('SIGINT')).code).toBe(0);
});

describe('decrypts all that it ever encrypted', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('after %s', async (signal) => {
    const first = await startPlugin(workplace);
    const encrypted = await encrypt();
    await first.stop(signal);
    // kill -9 leaves the socket behind: it is stale and is taken over.
    expect((await readdir(`${workplace.dir}/run`)).length).toBe(signal === 'SIGKILL' ? 1 : 0);
    const second = await startPlugin(workplace);
    expect(await decrypt(encrypted)).toEqual(seed);
    expect((await encrypt()).keyId).toBe(encrypted.keyId);
    await second.stop();
  });
});

test('never takes the socket of a plugin that lives', async () => {
  const first = await startPlugin(workplace);
  const encrypted = await encrypt();
  const second = runPlugin(workplace, [
    '-listen-addr',
    `unix://${workplace.socket}`,
    '-keystore-dir',
    workplace.keystoreDir,
  ]);
  const { code, stdout } = await second.ended;
  expect(code).toBe(1);
  expect(logLines(stdout)).toMatchObject([
    { level: 'fatal', msg: `could not listen on ${workplace.socket}`, got: 'another process listens there' },
  ]);
  expect(await decrypt(encrypted)).toEqual(seed);
  await first.stop();
});

describe('refuses', () => {
  let plugin: RunningPlugin;
  let encrypted: Encrypted;
  let shared: Workplace;
  let client: KmsClient;
  beforeAll(async () => {
    shared = await createWorkplace();
    plugin = await startPlugin(shared);
    client = kmsClient(shared.socket);
    encrypted = await client.encrypt(seed);
  });
  afterAll(async () => {
    client.close();
    await plugin.stop();
    await shared.remove();
  });

  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const annotation = 'envelope.kms.understudy.dev';

  test.each<readonly [string, (good: Encrypted) => Encrypted, GrpcStatus]>([
    ['a changed nonce', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 0) }), GrpcStatus.INVALID_ARGUMENT],
    ['a changed text', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 20) }), GrpcStatus.INVALID_ARGUMENT],
    ['a changed tag', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 59) }), GrpcStatus.INVALID_ARGUMENT],
    ['a cut', (e) => ({ ...e, ciphertext: e.ciphertext.subarray(0, 30) }), GrpcStatus.INVALID_ARGUMENT],
    ['nothing', (e) => ({ ...e, ciphertext: Buffer.alloc(0) }), GrpcStatus.INVALID_ARGUMENT],
    ['too much', (e) => ({ ...e, ciphertext: Buffer.alloc(1025) }), GrpcStatus.INVALID_ARGUMENT],
    ['another key ID', (e) => ({ ...e, keyId: `${e.keyId.slice(0, -1)}x` }), GrpcStatus.NOT_FOUND],
    ['no key ID', (e) => ({ ...e, keyId: '' }), GrpcStatus.INVALID_ARGUMENT],
    ['no annotations', (e) => ({ ...e, annotations: {} }), GrpcStatus.INVALID_ARGUMENT],
    [
      'another annotation',
      (e) => ({ ...e, annotations: { [annotation]: Buffer.from('aes-256-gcm.v2') } }),
      GrpcStatus.INVALID_ARGUMENT,
    ],
    [
      'an added annotation',
      (e) => ({ ...e, annotations: { ...e.annotations, 'x.example.com': Buffer.from('y') } }),
      GrpcStatus.INVALID_ARGUMENT,
    ],
    [
      'annotations beyond any limit',
      (e) => ({ ...e, annotations: { 'x.example.com': Buffer.alloc(60_000) } }),
      GrpcStatus.RESOURCE_EXHAUSTED,
    ],
  ])('%s', async (_name, change, code) => {
    await expect(client.decrypt(change(encrypted))).rejects.toMatchObject({ code });
    expect(await client.decrypt(encrypted)).toEqual(seed);
  });

  test('a plaintext whose ciphertext kube-apiserver would refuse', async () => {
    expect((await client.encrypt(Buffer.alloc(996))).ciphertext).toHaveLength(1024);
    await expect(client.encrypt(Buffer.alloc(997))).rejects.toMatchObject({ code: GrpcStatus.INVALID_ARGUMENT });
  });
});

test("cannot read another node's data", async () => {
  const here = await startPlugin(workplace);
  const encrypted = await encrypt();
  await here.stop();
  const there = await startPlugin({ ...workplace, keystoreDir: `${workplace.dir}/other` });
  await expect(decrypt(encrypted)).rejects.toMatchObject({ code: GrpcStatus.NOT_FOUND });
  await there.stop();
});

describe('a keystore that cannot be used', () => {
  const cases: readonly (readonly [string, (text: string) => Promise<void>, string])[] = [
    ['cut', (text) => writeFile(workplace.keystore, text.slice(0, -40)), 'it is cut short or is no JSON'],
    ['emptied', () => writeFile(workplace.keystore, ''), 'it is empty'],
    [
      'edited',
      (text) => writeFile(workplace.keystore, text.replace('":"', '":"A')),
      'its seed is not 32 bytes in base64',
    ],
    [
      'of an earlier plugin',
      () => writeFile(workplace.keystore, '{"kind":"understudy-kms-keystore","version":1,"keks":[]}'),
      'it is of an earlier plugin, which kept a list of keys and no seed',
    ],
    ['open to others', () => chmod(workplace.keystore, 0o644), 'others than its owner may use it (mode 644)'],
  ];
  test.each(cases)('%s: an error that says so, and nothing is replaced', async (_name, spoil, got) => {
    await (await startPlugin(workplace)).stop();
    await spoil(await readFile(workplace.keystore, 'utf8'));
    const before = await readFile(workplace.keystore);
    const plugin = runPlugin(workplace, [
      `--listen-addr=unix://${workplace.socket}`,
      `--keystore-dir=${workplace.keystoreDir}`,
    ]);
    const { code, stdout } = await plugin.ended;
    expect(code).toBe(1);
    expect(logLines(stdout)).toMatchObject([{ level: 'fatal', got, next: expect.any(String) }]);
    expect(await readFile(workplace.keystore)).toEqual(before);
    expect(await readdir(workplace.keystoreDir)).toEqual(['keystore.json']);
  });
});

test('plugins that start at once on one keystore have one key', async () => {
  const sockets = ['a', 'b', 'c', 'd'].map((name) => `${workplace.dir}/run/${name}.sock`);
  const plugins = await Promise.all(sockets.map((socket) => startPlugin({ ...workplace, socket })));
  const keyIds = await Promise.all(
    sockets.map(async (socket) => {
      const client = kmsClient(socket);
      return (await client.status().finally(() => client.close())).keyId;
    }),
  );
  expect(new Set(keyIds).size).toBe(1);
  for (const plugin of plugins) expect((await plugin.stop()).code).toBe(0);
});

test('metrics and health, where they are asked for', async () => {
  const plugin = await startPlugin(workplace, '--metrics-addr=127.0.0.1:0');
  const { metricsPort } = await plugin.said('serving KMS v2');
  const { keyId } = await plugin.said('serving key');
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  const encrypted = await encrypt();
  await expect(decrypt({ ...encrypted, keyId: 'x' })).rejects.toMatchObject({ code: GrpcStatus.NOT_FOUND });
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toContain('kms_plugin_calls_total{key="0",method="Encrypt",code="OK"} 1');
  expect(metrics).toContain('kms_plugin_calls_total{key="0",method="Decrypt",code="NOT_FOUND"} 1');
  expect(metrics).toContain(`kms_plugin_write_key_info{key="0",key_id="${keyId}"} 1`);
  expect((await plugin.stop()).code).toBe(0);
});

describe('the command line', () => {
  test.each([
    [['--config-file-path=/etc/x'], "Unknown option '--config-file-path'"],
    [['-timeout=fast'], "could not use --timeout 'fast'"],
    [['-listen-addr=tcp://0.0.0.0:1'], 'not the address of a unix socket'],
  ])('%s is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await runPlugin(workplace, args).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('next: ');
  });

  test('--help', async () => {
    const { code, stdout } = await runPlugin(workplace, ['--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('--listen-addr');
  });
});

test('says what to do where its directory cannot be written', async () => {
  await mkdir(`${workplace.dir}/run`);
  await writeFile(`${workplace.dir}/file`, '');
  const { code, stdout } = await runPlugin(workplace, [
    `--listen-addr=unix://${workplace.socket}`,
    `--keystore-dir=${workplace.dir}/file/keys`,
  ]).ended;
  expect(code).toBe(1);
  expect(logLines(stdout)).toMatchObject([{ level: 'fatal', got: expect.stringContaining('ENOTDIR') }]);
});
