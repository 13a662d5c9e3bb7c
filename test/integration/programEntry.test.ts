import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tryExec } from '../../common/exec.ts';
import { projectDir } from '../../common/paths.ts';

test.each([
  ['the Node on PATH', 'node'],
  ['the Node that package.json pins', join(projectDir, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')],
])('the Pulumi program is loaded by %s, and its error and exit code are passed on', async (_which, node) => {
  const { code, stderr } = await tryExec(node, [join(projectDir, 'infra', 'index.js')]);
  expect(code).toBe(1);
  expect(stderr).toContain("Missing required configuration variable 'understudy:platform'");
});
