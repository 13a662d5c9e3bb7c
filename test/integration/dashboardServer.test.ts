import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFileWhole } from '../../common/files.ts';
import { type Home, makeHome } from '../e2e/support/home.ts';
import { startDashboardCommand } from './dashboardCommand.ts';
import { type ScriptedDashboard, startScriptedDashboard } from './dashboardSource.ts';

/** Sends bytes as they are, which no client would, and reads all that comes. */
const sendRaw = async (port: string, bytes: string): Promise<string> => {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(bytes);
  return text(socket);
};

describe('the server', () => {
  let dashboard: ScriptedDashboard;
  let port: string;
  beforeAll(async () => {
    dashboard = await startScriptedDashboard();
    ({ port } = new URL(dashboard.url));
    dashboard.show('team', {});
  });
  afterAll(() => dashboard?.stop());

  const get = (path: string, init: RequestInit = {}) => fetch(new URL(path, dashboard.url), init);

  test.each([
    ['', 'text/html; charset=utf-8'],
    ['main.js', 'text/javascript; charset=utf-8'],
    ['stack.css', 'text/css; charset=utf-8'],
    ['icon.svg', 'image/svg+xml'],
  ])("serves '/%s' whole and by its type, and to HEAD its head", async (path, type) => {
    const whole = await get(path);
    const head = await get(path, { method: 'HEAD' });
    const content = await whole.arrayBuffer();
    for (const { status, headers } of [whole, head]) {
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe(type);
      expect(headers.get('content-length')).toBe(String(content.byteLength));
    }
    expect(content.byteLength).toBeGreaterThan(100);
    expect(await head.text()).toBe('');
  });

  test.each(['', 'main.js', 'nosuch', 'events'])("'/%s' comes with the headers of safety", async (path) => {
    const { headers } = await get(path, { method: 'HEAD' });
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("default-src 'none'");
    for (const what of ['script', 'style', 'connect']) expect(policy).toContain(`${what}-src 'self'`);
    expect(policy?.join()).not.toMatch(/unsafe|\*|data:|http/);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is not allowed', async (method) => {
    const answer = await get('', { method, ...(method !== 'OPTIONS' && { body: 'x'.repeat(100_000) }) });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test.each(['evil.example', `evil.example:8088`, '127.0.0.1.evil.example', ''])(
    "host '%s' is not answered",
    async (host) => {
      for (const path of ['/', '/events']) {
        const answer = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        expect(answer).toMatch(/^HTTP\/1\.1 403 /);
        expect(answer).not.toMatch(/team|<html/);
      }
    },
  );

  test('no host, or two, are not answered', async () => {
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /);
    const two = 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(port, two)).not.toMatch(/evil/);
  });

  test.each([
    '/../package.json',
    '/../../../../../../etc/passwd',
    '/..%2f..%2f..%2fpackage.json',
    '/%2e%2e/server.ts',
    '/....//server.ts',
    '/tsconfig.json',
    '/view.d.ts',
    '/main.js%00.html',
    '\\..\\server.ts',
    'file:///etc/passwd',
  ])('%s leads nowhere', async (target) => {
    const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toMatch(/understudy|root:|import/);
  });

  test('only this machine is served', async () => {
    const { hostname } = new URL(dashboard.url);
    expect(hostname).toBe('127.0.0.1');
    // The whole of 127.0.0.0/8 is this machine, so one that listened everywhere would answer here.
    await expect(fetch(`http://127.0.0.2:${port}/`)).rejects.toThrow();
  });

  test('events tell all first, then what changes', async () => {
    const answer = await get('events');
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let told = '';
    while ((told.match(/\n\n/g) ?? []).length < 2) told += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    expect(told).toMatch(/^event: all\ndata: \{"now":\d+,.*\}\n\nevent: change\ndata: \{/);
  });
});

describe('the command', () => {
  let home: Home;
  beforeAll(async () => {
    home = await makeHome();
    await home.writeStack('away');
    await home.writeStack('down');
    // Nobody listens there.
    const kubeconfig = JSON.stringify({
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'x', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      'current-context': 'x',
    });
    await writeFileWhole(join(home.clusterDir('away'), 'access.json'), JSON.stringify({ kubeconfig }));
  });
  afterAll(() => home?.remove());

  const statesAt = async (url: string, stacks: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      let told = '';
      const asked = request(new URL('events', url), (answer) => {
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          told += chunk;
          if (!stacks.test(told)) return;
          asked.destroy();
          resolve(told);
        });
      });
      asked.once('error', reject).end();
    });

  test('shows all stacks that are up, and ends well on Ctrl-C while a page is open', async () => {
    const command = await startDashboardCommand(home);
    const told = await statesAt(command.url, /"name":"away","state":"unreachable"/);
    expect(told).toMatch(/"problem":"[^"]*ECONNREFUSED/);
    expect(told).not.toMatch(/"name":"down"/);
    const open = await fetch(new URL('events', command.url));
    const { code, stdout, stderr } = await command.end();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\nShows away\. Ctrl-C ends it\.\n$/);
    await expect(open.text()).rejects.toThrow();
  });

  test('shows those that are named, once, whether they are up or not', async () => {
    const command = await startDashboardCommand(home, 'down', 'down', '--json');
    await statesAt(command.url, /"name":"down","state":"down","problem":"stack down is not up/);
    const { code, stdout } = await command.end();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ url: command.url, stacks: ['down'] });
  });

  test('names a port that is taken', async () => {
    const taken = await startScriptedDashboard();
    const { port } = new URL(taken.url);
    const { code, stderr } = await home.run('dashboard', '--port', port);
    taken.stop();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`could not serve the dashboard on port ${port}: .*already\n  next: .*--port 0`));
  });

  test.each([
    [['nosuch'], /find stack 'nosuch'/],
    [['--port', '65536'], /'65536' is no port/],
    [['--port', 'x'], /'x' is no port/],
  ])('%s is asked wrongly', async (args, told) => {
    const { code, stderr } = await home.run('dashboard', ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(told)]);
  });
});
