import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { tryExec } from '../../common/exec.ts';
import {
  configFile,
  dashboardExpressions,
  dashboardFile,
  monitoringDir,
  readDashboard,
  rulesFile,
  ruleTestsFile,
} from '../../monitoring/files.ts';
import { toolsDir } from '../tools/ensure.ts';
import { buildDashboardReader, ensurePrometheus, pinnedModule } from './monitoringTools.ts';

let promtool: string;
let dir: string;

beforeAll(
  async () => {
    dir = await mkdtemp(join(tmpdir(), 'monitoring-'));
    ({ promtool } = await ensurePrometheus());
  },
  // Where it has to be built.
  30 * 60_000,
);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** What promtool says; tests of rules find the rules in its working directory. */
const ask = async (...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> => {
  const { code, stdout, stderr } = await tryExec(promtool, args, { cwd: monitoringDir });
  return { code, output: stdout + stderr };
};

describe('promtool', () => {
  test('is the version that is pinned', async () => {
    expect((await ask('--version')).output).toContain('version 3.16.0');
    expect(await readFile(join(toolsDir, 'prometheus', 'go.mod'), 'utf8')).toContain(`${pinnedModule} // indirect`);
  });

  test('reads the rules', async () => {
    const { code, output } = await ask('check', 'rules', '--lint=all', '--lint-fatal', rulesFile);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  test('runs their tests', async () => {
    const { code, output } = await ask('test', 'rules', ruleTestsFile);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  test('finds a rule whose threshold moved by its tests', async () => {
    const rules = await readFile(rulesFile, 'utf8');
    await writeFile(join(dir, 'kms-health.rules.yaml'), rules.replace('(kms_keks) > 1', '(kms_keks) > 2'));
    const tests = join(dir, 'kms-health.rules.test.yaml');
    await writeFile(tests, await readFile(ruleTestsFile, 'utf8'));
    const { code, output } = await ask('test', 'rules', tests);
    expect(output).toContain('KMSKEKsDiffer');
    expect(code).toBe(1);
  });

  test('reads the example configuration and the rules that it names', async () => {
    const { code, output } = await ask('check', 'config', '--lint=all', '--lint-fatal', configFile);
    expect(output).toContain('1 rule files found');
    expect(code).toBe(0);
  });

  test('reads every expression of the dashboard, as rules', async () => {
    const asRules = async (expressions: readonly string[]) => {
      const rules = expressions.map((expr, index) => ({ record: `dashboard:${index}`, expr }));
      const path = join(dir, 'dashboard.yaml');
      await writeFile(path, stringify({ groups: [{ name: 'dashboard', rules }] }));
      return ask('check', 'rules', path);
    };
    const expressions = dashboardExpressions(await readDashboard());
    expect(expressions.length).toBeGreaterThan(15);
    const good = await asRules(expressions);
    expect(good.output).toContain(`${expressions.length} rules found`);
    expect(good.code).toBe(0);
    expect((await asRules([...expressions, 'sum by (node (up)'])).code).toBe(1);
  });
});

describe("Grafana's schema", () => {
  let reader: Awaited<ReturnType<typeof buildDashboardReader>>;
  beforeAll(async () => {
    reader = await buildDashboardReader();
  }, 10 * 60_000);
  afterAll(() => reader.remove());

  test('has everything that the dashboard says', async () => {
    expect(await reader.read(dashboardFile)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['"rowHeight"', '"rowHight"', "unexpected field 'rowHight'"],
    ['"type": "table"', '"type": "graph"', 'panel type "graph"'],
    ['"schemaVersion"', '"schemaversion"', 'schemaVersion: required field is missing'],
    ['"editorMode"', '"mode"', "unexpected field 'mode'"],
    ['"h": 8', '"h": "tall"', 'gridPos'],
  ])('has no %s that is %s', async (right, wrong, problem) => {
    const path = join(dir, 'wrong.json');
    const text = await readFile(dashboardFile, 'utf8');
    expect(text).toContain(right);
    await writeFile(path, text.replaceAll(right, wrong));
    const { code, stdout } = await reader.read(path);
    expect(stdout).toContain(problem);
    expect(code).toBe(1);
  });
});
