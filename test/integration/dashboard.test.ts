import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testPlugin } from '../../cli/dashboard/testStatus.ts';
import { makeHome } from '../e2e/support/home.ts';
import { browserWithinMs, startBrowser } from './browser.ts';
import { startDashboardCommand } from './dashboardCommand.ts';
import { becomes, pointAtNow, watchForWrongs } from './dashboardPage.ts';
import { type ScriptedDashboard, startScriptedDashboard } from './dashboardSource.ts';

let browser: Browser;
let dashboard: ScriptedDashboard;
let page: Page;
/** What the page did that it should not. */
let wrongs: string[];

beforeAll(async () => {
  browser = await startBrowser();
}, browserWithinMs);
afterAll(() => browser?.close());

beforeEach(async () => {
  dashboard = await startScriptedDashboard();
  page = await browser.newPage();
  wrongs = watchForWrongs(page, dashboard.url);
});
afterEach(async () => {
  await page.close();
  dashboard.stop();
});

const seeText = async (selector: string, text: string | RegExp, timeout = 5_000): Promise<void> => {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout });
};

const open = async (): Promise<void> => {
  await page.goto(dashboard.url);
  await seeText('#connection', 'live');
};

const texts = (selector: string): Promise<readonly string[]> => page.locator(selector).allInnerTexts();

const nodesAndKeys = async (): Promise<readonly string[]> => {
  const [nodes, keys] = await Promise.all([texts('.node'), texts('.key')]);
  return nodes.map((node, index) => `${node} ${keys[index]}`);
};

test('shows all of a stack', async () => {
  dashboard.show('team', {
    plugins: [testPlugin(), testPlugin({ keyID: '2', kekID: 'kek-2' }), testPlugin({ node: 'b', kekID: 'kek-other' })],
    encryption: {
      type: 'KMS',
      encrypted: { status: 'False', reason: 'EncryptionInProgress', message: 'Resource secrets is being encrypted' },
      writeKey: '2',
      keys: [
        { id: '2', mode: 'KMS', state: 'write', migrated: false },
        { id: '1', mode: 'aescbc', state: 'read', migrated: true },
      ],
      migration: { secrets: { done: 1_200, total: 25_000 } },
    },
    degraded: { status: 'True', reason: 'A_Error::B_Error', message: 'ADegraded: one\nand more\nBDegraded: two' },
  });
  await open();
  await seeText('h2', 'team');
  expect(await nodesAndKeys()).toEqual(['a key 2', 'a key 1', 'b key 1']);
  expect(await texts('.now')).toEqual(['✓ healthy', '✓ healthy', '✓ healthy']);
  expect(await texts('.kek')).toEqual([
    'kek-2',
    expect.stringMatching(/^kek-1\s+≠ not the same/),
    expect.stringMatching(/^kek-other\s+≠ not the same/),
  ]);
  expect((await texts('.condition')).map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
    'Encryption KMS',
    'Encrypted ! False EncryptionInProgress Resource secrets is being encrypted',
    'Degraded ✕ True A_Error::B_Error',
  ]);
  expect(await texts('.degraded li')).toEqual(['ADegraded one', 'and more', 'BDegraded two']);
  expect((await texts('tbody tr')).map((text) => text.split('\t'))).toEqual([
    ['2', 'KMS', 'write', '– no'],
    ['1', 'aescbc', 'read', '✓ yes'],
  ]);
  expect(await texts('.migration li')).toEqual([expect.stringMatching(/secrets\s+1200 of 25000 \(4 %\)/)]);
  expect(await page.locator('progress').evaluate((bar) => bar.value / bar.max)).toBeCloseTo(0.048);
  expect(await texts('.nodes')).toEqual([expect.stringMatching(/1 node, all ready\s+✓ a/)]);
  expect(await page.title()).toBe('✕ team – Understudy');
  expect(wrongs).toEqual([]);
});

test('a change turns up within 2 s, and the strip keeps what was before', async () => {
  dashboard.show('team', {});
  await open();
  await seeText('.now', 'healthy');
  const changed = performance.now();
  dashboard.show('team', { plugins: [testPlugin({ status: 'error', kekID: null, detail: 'connection refused' })] });
  await seeText('.now', '✕ error');
  expect(performance.now() - changed).toBeLessThan(2_000);
  await seeText('.detail', 'connection refused');
  dashboard.show('team', { plugins: [testPlugin({ kekID: 'kek-2' })] });
  await seeText('.now', '✓ healthy');
  await becomes(() => page.locator('.strip rect[data-status]').count(), 3);
  expect(await texts('#news')).toEqual(['team: key 1 on a is healthy']);
  const widths = await page
    .locator('.strip rect[data-status]')
    .evaluateAll((rects) => rects.map((rect) => Number(rect.getAttribute('width'))));
  for (const width of widths) expect(width).toBeGreaterThan(0);
  // A page that is opened later gets all that there was.
  await page.reload();
  await becomes(() => page.locator('.strip rect[data-status]').count(), 3);
  expect(wrongs).toEqual([]);
});

test('the strip tells by pointer and by keys what was when', async () => {
  dashboard.show('team', {});
  await open();
  await seeText('.now', 'healthy');
  dashboard.show('team', { plugins: [testPlugin({ status: 'unhealthy', detail: 'healthz is not ok' })] });
  await seeText('.now', '! unhealthy');
  await page.locator('#windows input[value="3600"]').focus();
  await page.keyboard.press('Tab');
  const strip = page.locator('.strip');
  expect(await strip.evaluate((found) => found === found.ownerDocument.activeElement)).toBe(true);
  const time = String.raw`\d\d:\d\d:\d\d – \d\d:\d\d:\d\d, \d+s`;
  await seeText('#tip', new RegExp(String.raw`! unhealthy\s*${time}\s*healthz is not ok\s*KEK kek-1`));
  expect(await strip.getAttribute('aria-valuetext')).toMatch(
    new RegExp(`^! unhealthy; ${time}; healthz is not ok; KEK kek-1$`),
  );
  await page.keyboard.press('ArrowLeft');
  await seeText('#tip', /✓ healthy/);
  expect(await strip.getAttribute('aria-valuenow')).toBe('0');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('End');
  await seeText('#tip', /! unhealthy/);
  await page.keyboard.press('Escape');
  expect(await page.locator('#tip').isVisible()).toBe(false);
  await pointAtNow(page);
  await seeText('#tip', /! unhealthy/);
  await page.mouse.move(0, 0);
  expect(await page.locator('#tip').isVisible()).toBe(false);
  expect(wrongs).toEqual([]);
});

test('what plugins and objects say is text and nothing else', async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>window.ran=1</script>\u202e';
  const condition = { status: 'True', reason: hostile, message: `KMSPluginsDegraded: ${hostile}` } as const;
  dashboard.show('team', {
    platform: hostile,
    cluster: {
      ready: false,
      version: hostile,
      nodes: [{ name: hostile, ready: false, hollow: true }],
      hollowGroups: [],
    },
    encryption: {
      type: 'KMS',
      encrypted: condition,
      writeKey: hostile,
      keys: [{ id: hostile, mode: 'KMS', state: 'write', migrated: true }],
      migration: { [hostile]: { done: 1, total: 2 }, constructor: { done: 0, total: 0 } },
    },
    plugins: [testPlugin({ node: hostile, keyID: hostile, kekID: hostile, status: 'unhealthy', detail: hostile })],
    degraded: condition,
    faults: [{ name: hostile, state: 'active', kind: 'error', code: 'INTERNAL', message: hostile }],
  });
  await open();
  await seeText('.detail', hostile);
  await pointAtNow(page);
  await seeText('#tip', hostile);
  for (const place of [
    '.node',
    '.key',
    '.degraded',
    '.faults',
    '.keys',
    '.migration',
    '.nodes',
    '.conditions',
    'header',
  ]) {
    await seeText(place, '<img src=x');
  }
  expect(await page.locator('img, main script').count()).toBe(0);
  expect(await page.evaluate('window.ran')).toBeUndefined();
  expect(await page.title()).toBe('✕ team – Understudy');
  expect(wrongs).toEqual([]);
});

test('faults count down', async () => {
  dashboard.show('team', {
    faults: [
      {
        name: 'slow',
        state: 'active',
        kind: 'latency',
        milliseconds: 300,
        until: new Date(Date.now() + 62_500).toISOString(),
      },
      { name: 'stuck', state: 'active', kind: 'hang', key: 2, node: 'a' },
    ],
  });
  await open();
  await seeText('.faults li', /slow\s*latency milliseconds 300\s*every key, every node\s*1m0[0-2]s left/);
  await seeText('.faults li', /stuck\s*hang\s*key 2, a\s*until cleared/);
  await seeText('.faults li', /node5\ds left/);
  dashboard.show('team', {});
  await becomes(() => page.locator('.faults li').count(), 0);
  expect(wrongs).toEqual([]);
});

test('a cluster that does not answer is shown as it was seen last, and one that is gone goes', async () => {
  dashboard.show('team', {});
  dashboard.show('other', {});
  await open();
  await becomes(() => texts('h2'), ['other', 'team']);
  dashboard.lose('team', 'connect ECONNREFUSED');
  const team = page.locator('[aria-label="stack team"]');
  await team.filter({ hasText: '✕ no answer' }).waitFor();
  expect(await team.innerText()).toMatch(/connect ECONNREFUSED/);
  expect(await team.innerText()).toMatch(/last seen (just now|\ds ago)/);
  expect(await team.locator('.type').innerText()).toBe('KMS');
  expect(await team.locator('.now').innerText()).toBe('? unknown');
  expect(await team.locator('.kek').innerText()).toMatch(/^kek-1/);
  expect(await team.locator('tbody tr').count()).toBe(1);
  expect(await texts('[aria-label="stack other"] .now')).toEqual(['✓ healthy']);
  dashboard.show('team', {});
  await team.filter({ hasText: '✓ all well' }).waitFor();
  dashboard.end('other');
  dashboard.end('team');
  await seeText('main', 'No stack is up');
  dashboard.show('team', {});
  await seeText('h2', 'team');
  expect(await texts('main > :not(article)')).toEqual([]);
  expect(wrongs).toEqual([]);
});

test('the page tells that the dashboard is gone, and goes on by itself when it is back', async () => {
  dashboard.show('team', {});
  await open();
  await seeText('.now', 'healthy');
  expect(await page.locator('#lost').isVisible()).toBe(false);
  expect(wrongs).toEqual([]);
  dashboard.stop();
  await seeText('#lost', /does not answer since \d\d:\d\d:\d\d/);
  await seeText('#connection', 'lost');
  expect(await texts('.now')).toEqual(['✓ healthy']);
  dashboard.show('team', { plugins: [testPlugin({ status: 'unhealthy' })] });
  await dashboard.start();
  await seeText('.now', '! unhealthy');
  await seeText('#connection', 'live');
  expect(await page.locator('#lost').isVisible()).toBe(false);
  // The browser itself tells of connections that were refused.
  expect(wrongs.filter((wrong) => !/net::ERR_/.test(wrong))).toEqual([]);
});

test('the page tells too of a dashboard that hangs', async () => {
  const home = await makeHome();
  const command = await startDashboardCommand(home);
  try {
    await page.goto(command.url);
    await seeText('main', 'No stack is up');
    command.signal('SIGSTOP');
    await seeText('#lost', 'does not answer', 10_000);
    command.signal('SIGCONT');
    await seeText('#connection', 'live', 10_000);
  } finally {
    command.signal('SIGCONT');
    await command.end();
    await home.remove();
  }
});

describe.each([
  ['light', 1360],
  ['dark', 1360],
  ['light', 390],
  ['dark', 320],
] as const)('%s, %d wide', (colorScheme, width) => {
  test('nothing sticks out, and texts can be read', async () => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const long = 'x'.repeat(1_024);
    dashboard.show('team', {
      plugins: [testPlugin({ status: 'error', kekID: long, detail: long }), testPlugin({ node: long, keyID: '2' })],
      degraded: { status: 'True', reason: long, message: `KMSPluginsDegraded: ${long}` },
      faults: [{ name: 'slow', state: 'active', kind: 'error', code: 'INTERNAL', message: long }],
    });
    await open();
    await seeText('.now', 'error');
    await pointAtNow(page);
    await seeText('#tip', long);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const [ink, ground] = (await page.evaluate(
      '[getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]',
    )) as [string, string];
    const [dark, light] = colorScheme === 'dark' ? [ground, ink] : [ink, ground];
    const brightness = (color: string) => Math.max(...(color.match(/\d+/g) ?? []).map(Number));
    expect(brightness(dark)).toBeLessThan(80);
    expect(brightness(light)).toBeGreaterThan(200);
    expect(wrongs).toEqual([]);
  });
});
