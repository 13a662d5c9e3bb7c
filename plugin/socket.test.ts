import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../common/failure.ts';
import { claimSocket } from './socket.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'socket-'));
  folder = join(parent, 'kmsplugin');
  path = join(folder, 'kms.sock');
  return () => rm(parent, { recursive: true });
});

/** A server that says its name to whoever connects. */
const named = (name: string): Server => createServer((socket) => socket.on('error', () => {}).end(name));

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

const greeting = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const client = connect(path);
    client.once('data', (data) => resolve(data.toString()));
    client.once('error', reject);
  });

test('makes the socket for its owner only, in a folder that it makes', async () => {
  const server = named('a');
  const socket = await claimSocket(server, path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(await greeting()).toBe('a');
  await socket.release();
  await close(server);
  expect(await readdir(folder)).toEqual([]);
});

test('leaves the mode of a folder that was there', async () => {
  await mkdir(folder);
  await chmod(folder, 0o755);
  const server = named('a');
  await claimSocket(server, path);
  expect((await stat(folder)).mode & 0o777).toBe(0o755);
  await close(server);
});

test('takes over a stale socket', async () => {
  const old = named('old');
  await claimSocket(old, path);
  await close(old);
  expect((await stat(path)).isSocket()).toBe(true);
  const server = named('new');
  await claimSocket(server, path);
  expect(await greeting()).toBe('new');
  expect(await readdir(folder)).toEqual(['kms.sock']);
  await close(server);
});

test('never takes a live socket', async () => {
  const live = named('live');
  await claimSocket(live, path);
  const other = named('other');
  await expect(claimSocket(other, path)).rejects.toThrow(Failure);
  await expect(claimSocket(named('third'), path)).rejects.toThrow('another process listens there');
  expect(other.listening).toBe(false);
  expect(await greeting()).toBe('live');
  expect(await readdir(folder)).toEqual(['kms.sock']);
  await close(live);
});

test('of many that want a stale socket, one gets it', async () => {
  const old = named('old');
  await claimSocket(old, path);
  await close(old);
  const servers = Array.from({ length: 12 }, (_, index) => named(`${index}`));
  const claims = await Promise.allSettled(servers.map((server) => claimSocket(server, path)));
  expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = claims.findIndex(({ status }) => status === 'fulfilled');
  expect(await greeting()).toBe(`${winner}`);
  expect(await readdir(folder)).toEqual(['kms.sock']);
  await Promise.all(servers.filter(({ listening }) => listening).map(close));
});

describe('release', () => {
  test("leaves another one's socket alone", async () => {
    const server = named('mine');
    const socket = await claimSocket(server, path);
    await rename(path, `${path}.moved`);
    const other = named('other');
    await claimSocket(other, path);
    await socket.release();
    await close(server);
    expect(await greeting()).toBe('other');
    await close(other);
  });

  test('does not mind that it is gone already', async () => {
    const server = named('mine');
    const socket = await claimSocket(server, path);
    await rm(path);
    await socket.release();
    await close(server);
  });
});

test('never replaces what is no socket', async () => {
  await mkdir(folder);
  await writeFile(path, 'precious');
  await expect(claimSocket(named('a'), path)).rejects.toThrow('no socket');
  expect(await readdir(folder)).toEqual(['kms.sock']);
});

test('says what to do where the folder cannot be had', async () => {
  await expect(claimSocket(named('a'), '/dev/null/x/kms.sock')).rejects.toThrow(Failure);
});
