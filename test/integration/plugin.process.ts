import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { bundleService } from '../../image/bundle.ts';

const projectDir = join(import.meta.dirname, '..', '..');

/** A directory of one test's own, with the plugin as it is in its image. */
export interface Workplace {
  readonly dir: string;
  readonly bundle: string;
  readonly socket: string;
  readonly keystoreDir: string;
  readonly keystore: string;
  readonly wish: string;
  /** Where the sockets of a wish's keys are. */
  readonly socketDir: string;
  /** Every plugin that was started here. */
  readonly processes: ChildProcess[];
  /** Kills what still runs, as it does after a failed test, and removes all files. */
  remove(): Promise<void>;
}

export const createWorkplace = async (): Promise<Workplace> => {
  const dir = await mkdtemp(join(tmpdir(), 'plugin-'));
  const bundle = join(dir, 'main.mjs');
  await writeFile(bundle, await bundleService(join(projectDir, 'plugin', 'main.ts')));
  const keystoreDir = join(dir, 'keys');
  const processes: ChildProcess[] = [];
  return {
    dir,
    bundle,
    socket: join(dir, 'run', 'kms.sock'),
    keystoreDir,
    keystore: join(keystoreDir, 'keystore.json'),
    wish: join(keystoreDir, 'wish.json'),
    socketDir: join(dir, 'run'),
    processes,
    remove: async () => {
      for (const process of processes) process.kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
};

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningPlugin {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /**
   * Resolves with the fields of the log line that has this message, and `got` as a part of what came back;
   * rejects if the process ends without it.
   */
  said(message: string, got?: string): Promise<Readonly<Record<string, unknown>>>;
  /** Ends it, by SIGTERM where nothing else is said. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The lines of a log; each must be a JSON object. */
export const logLines = (stdout: string): readonly Readonly<Record<string, unknown>>[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (!isRecord(value)) throw new Error(`no log line: ${line}`);
      return value;
    });

/**
 * Runs the plugin with just these arguments.
 * @param inside a command that executes what is given after its own arguments.
 */
export const runPlugin = (
  { bundle, processes }: Workplace,
  args: readonly string[],
  inside: readonly string[] = [],
): RunningPlugin => {
  const [program = '', ...rest] = [...inside, process.execPath, bundle, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  processes.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    process: child,
    ended,
    said: (message, got = '') =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = logLines(stdout).find((fields) => fields.msg === message && `${fields.got ?? ''}`.includes(got));
          if (line !== undefined) resolve(line);
        };
        child.stdout.on('data', look);
        look();
        ended.then(() => reject(new Error(`ended without '${message}': ${stdout}${stderr}`)));
      }),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
};

const startWith = async (workplace: Workplace, args: readonly string[]): Promise<RunningPlugin> => {
  const plugin = runPlugin(workplace, args);
  await plugin.said('serving KMS v2');
  return plugin;
};

/** Runs the plugin on this workplace's socket and keystore, and waits until it serves. */
export const startPlugin = (workplace: Workplace, ...args: readonly string[]): Promise<RunningPlugin> =>
  startWith(workplace, [
    `--listen-addr=unix://${workplace.socket}`,
    `--keystore-dir=${workplace.keystoreDir}`,
    ...args,
  ]);

/** Runs the plugin on this workplace's wish and keystore, and waits until it serves what is wished. */
export const startServer = (workplace: Workplace, ...args: readonly string[]): Promise<RunningPlugin> =>
  startWith(workplace, [`--socket-dir=${workplace.socketDir}`, `--keystore-dir=${workplace.keystoreDir}`, ...args]);

export interface Encrypted {
  readonly ciphertext: Buffer;
  readonly keyId: string;
  readonly annotations: Readonly<Record<string, Buffer>>;
}

/** A client that is made from api.proto by grpc-js. Rejections have gRPC's `code` and `details`. */
export interface KmsClient {
  status(): Promise<{ readonly version: string; readonly healthz: string; readonly keyId: string }>;
  encrypt(plaintext: Uint8Array): Promise<Encrypted>;
  decrypt(encrypted: Encrypted): Promise<Buffer>;
  close(): void;
}

const service: unknown = loadSync(join(projectDir, 'protos', 'kms', 'v2', 'api.proto'), { defaults: true })[
  'v2.KeyManagementService'
];

export const kmsClient = (socket: string): KmsClient => {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const call = <Response>(name: string, request: object): Promise<Response> =>
    new Promise((resolve, reject) => {
      const method: MethodDefinition<object, Response> = Reflect.get(Object(service), name);
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + 10_000 },
        (error: ServiceError | null, response?: Response) => {
          if (response === undefined) reject(error);
          else resolve(response);
        },
      );
    });
  return {
    status: () => call('Status', {}),
    encrypt: (plaintext) => call('Encrypt', { plaintext, uid: 'uid-of-encrypt' }),
    decrypt: async (encrypted) =>
      (await call<{ readonly plaintext: Buffer }>('Decrypt', { ...encrypted, uid: 'uid-of-decrypt' })).plaintext,
    close: () => client.close(),
  };
};
