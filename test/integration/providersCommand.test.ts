import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { local } from '@pulumi/command';
import { secret } from '@pulumi/pulumi';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCommandProvider } from '../../providers/command/provider.ts';
import type { ResourceProvider } from '../../providers/protocol/provider.ts';
import { type PropertyMap, reveal, Secret, unknown } from '../../providers/protocol/values.ts';
import { createTestStack, type TestStack } from './providersStack.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'understudy-command-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

describe('a command under the engine', () => {
  let stack: TestStack;
  const trace = (): Promise<string> => readFile(join(dir, 'trace'), 'utf8');

  const program =
    ({ message = 'one', trigger = 1 } = {}) =>
    async (): Promise<Record<string, unknown>> => {
      const command = new local.Command('hello', {
        create: 'echo "create $MESSAGE" | tee -a trace; cat >&2',
        update: 'echo "update $MESSAGE after $PULUMI_COMMAND_STDOUT" | tee -a trace',
        delete: 'echo "delete after $PULUMI_COMMAND_STDOUT" >> trace',
        dir,
        environment: { MESSAGE: message, PASSWORD: secret('correct-horse-battery') },
        stdin: secret('staple-of-the-day'),
        triggers: [trigger],
      });
      const [run] = [local.runOutput({ command: 'echo $0 ran', interpreter: ['/bin/sh', '-c'], dir })];
      return { stdout: command.stdout, stderr: command.stderr, run: run.stdout };
    };

  beforeAll(async () => {
    stack = await createTestStack();
  });
  afterAll(() => stack?.remove());

  test('does not run in a preview', async () => {
    expect(await stack.preview(program())).toEqual({ create: 2 });
    expect(existsSync(join(dir, 'trace'))).toBe(false);
  });

  test('runs once, and its secrets stay secret', async () => {
    const { outputs } = await stack.up(program());
    expect(outputs).toMatchObject({
      stdout: { value: 'create one', secret: true },
      stderr: { value: 'staple-of-the-day', secret: true },
      run: { value: '/bin/sh ran' },
    });
    expect(stack.output()).not.toContain('staple-of-the-day');
    const state = await stack.stateText();
    expect(state).not.toContain('correct-horse-battery');
    expect(state).not.toContain('staple-of-the-day');
    expect((await stack.up(program())).summary.resourceChanges).toEqual({ same: 2 });
    expect(await trace()).toBe('create one\n');
  });

  test('updates with its update command, replaces with its triggers, and deletes', async () => {
    const updated = await stack.up(program({ message: 'two' }));
    expect(updated.summary.resourceChanges).toMatchObject({ update: 1 });
    const replaced = await stack.up(program({ message: 'two', trigger: 2 }));
    expect(replaced.summary.resourceChanges).toMatchObject({ replace: 1 });
    await stack.destroy();
    expect((await trace()).split('\n')).toEqual([
      'create one',
      'update two after create one',
      'create two',
      'delete after update two after create one',
      'delete after create two',
      '',
    ]);
  });
});

describe('the provider alone', () => {
  const log = { status: vi.fn(), warning: vi.fn(), flushed: () => Promise.resolve() };
  let provider: ResourceProvider;

  beforeEach(() => {
    vi.clearAllMocks();
    provider = createCommandProvider(log);
  });

  const call = { urn: 'urn:pulumi:s::p::command:local:Command::it', type: 'command:local:Command', name: 'it' };
  const create = (inputs: PropertyMap, preview = false) =>
    provider.create({ ...call, inputs, timeoutSeconds: 0, preview });
  const state = (inputs: PropertyMap, outputs: PropertyMap = {}) => ({
    ...call,
    id: 'it1',
    oldInputs: inputs,
    oldOutputs: { ...inputs, stdout: '', stderr: '', ...outputs },
  });

  test('cuts one newline off', async () => {
    const { id, outputs } = await create({ create: 'printf "a\\n\\n"; printf b >&2' });
    expect(id).toMatch(/^it[0-9a-f]{8}$/);
    expect(outputs).toMatchObject({ stdout: 'a\n', stderr: 'b' });
  });

  test('a preview does not know what a command will print', async () => {
    expect((await create({ create: 'echo a' }, true)).outputs).toMatchObject({ stdout: unknown, stderr: unknown });
    const update = {
      ...state({ create: 'echo a' }),
      inputs: { create: 'echo b' },
      ignoreChanges: [],
      timeoutSeconds: 0,
    };
    expect(await provider.update({ ...update, preview: true })).toMatchObject({ stdout: unknown });
  });

  test('without an update command the create command runs again', async () => {
    const update = {
      ...state({ create: 'echo a' }, { stdout: 'a' }),
      ignoreChanges: [],
      timeoutSeconds: 0,
      preview: false,
    };
    const inputs = { create: 'echo "b after $PULUMI_COMMAND_STDOUT"' };
    expect(await provider.update({ ...update, inputs })).toMatchObject({ stdout: 'b after a' });
    const alone = { ...inputs, addPreviousOutputInEnv: false };
    expect(await provider.update({ ...update, inputs: alone })).toMatchObject({ stdout: 'b after ' });
  });

  test('without any command nothing runs', async () => {
    expect((await create({})).outputs).toEqual({ stdout: '', stderr: '' });
    await provider.delete({ ...state({ create: 'echo a' }), timeoutSeconds: 0 });
  });

  test.each([
    [undefined, ['out', 'err']],
    ['stdout', ['out']],
    ['stderr', ['err']],
    ['none', []],
  ])('logging %s shows %j', async (logging, lines) => {
    await create({ create: 'echo out; echo err >&2', ...(logging !== undefined && { logging }) });
    expect(log.status.mock.calls.map(([, line]) => line).sort()).toEqual(lines.sort());
  });

  test('secrets are not shown, wherever they come up', async () => {
    const inputs = {
      create: new Secret('echo $TOKEN; echo "$TOKEN" >&2; exit 3'),
      environment: { TOKEN: new Secret('hunter2') },
    };
    const failure = await create(inputs).catch((error: Error) => error.message);
    expect(failure).toMatch(/could not run '\[secret\]': exit code 3:\n\[secret\]\n\[secret\]/);
    expect(JSON.stringify(log.status.mock.calls)).not.toContain('hunter2');
  });

  test.each<[string, PropertyMap, RegExp]>([
    [
      'fails',
      { create: 'echo before; exit 7' },
      /could not run 'echo before; exit 7': exit code 7:\nbefore\n {2}next: run it by hand in /,
    ],
    ['is killed', { create: 'kill -9 $$' }, /ended by SIGKILL/],
    ['has no folder', { create: 'true', dir: '/no/such/folder' }, /ENOENT/],
    ['has no interpreter', { create: 'true', interpreter: ['/no/such/shell'] }, /ENOENT/],
  ])('a command that %s says so', async (_name, inputs, message) => {
    await expect(create(inputs)).rejects.toThrow(message);
  });

  test('a command need not read its input, and may print much', async () => {
    const { outputs } = await create({
      create: 'head -c 3000000 /dev/zero | tr "\\0" x',
      stdin: 'y'.repeat(1_000_000),
    });
    expect(String(reveal(outputs.stdout ?? '')).length).toBe(3_000_000);
  });

  test('what a command leaves in the background does not hold it up', async () => {
    const begin = performance.now();
    const { outputs } = await create({ create: 'sleep 60 & echo $!' });
    process.kill(Number(outputs.stdout));
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  test('the end of the operation ends all that a command has started', async () => {
    const running = create({ create: 'sleep 60 & echo $! ; wait' });
    await vi.waitFor(() => expect(log.status).toHaveBeenCalled());
    const [, pid] = log.status.mock.calls[0] ?? [];
    provider.cancel();
    await expect(running).rejects.toThrow(/it was cancelled/);
    // Of a process that has ended nothing is left here, though its parent may not have reaped it yet.
    await vi.waitFor(async () => expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe(''));
    await expect(create({ create: 'true' })).rejects.toThrow(/it was cancelled before it began/);
  });

  test('remote commands and unknown functions are left to the official provider', async () => {
    const official = /pulumi plugin install resource command/;
    const check = { ...call, oldInputs: undefined, inputs: {}, randomSeed: new Uint8Array(), autonaming: undefined };
    await expect(provider.check({ ...check, type: 'command:remote:Command' })).rejects.toThrow(official);
    expect(() => provider.invoke('command:remote:run', {})).toThrow(official);
  });

  test('a run without its command is refused', () => {
    expect(() => provider.invoke('command:local:run', { dir: '/' })).toThrow(
      /could not run a command: command is missing/,
    );
  });

  test('a command is read from the state, and cannot be imported', async () => {
    const known = state({ create: 'a' });
    expect(await provider.read(known)).toEqual({ id: 'it1', inputs: known.oldInputs, outputs: known.oldOutputs });
    expect(() => provider.read({ ...known, oldOutputs: {} })).toThrow(/could not import/);
  });
});
