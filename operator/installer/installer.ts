import { rm } from 'node:fs/promises';
import { messageOf } from '../../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { createWake } from '../../common/wake.ts';
import { watchList } from '../../common/watchList.ts';
import type { ApiServerProcess } from './apiServerProcess.ts';
import { runBackendLoop } from './backendLoop.ts';
import { hashOf, kmsKeysOf } from './encryptionFile.ts';
import type { FailureReason, Outcome } from './nodeStatus.ts';
import { planStep, type Step } from './plan.ts';
import type { Plugin } from './plugin.ts';
import { createReporter } from './report.ts';
import type { ReporterFiles, TokenSecret } from './reporterFiles.ts';
import { turnOf } from './turn.ts';
import { openWishFile } from './wishFile.ts';

export interface InstallerOptions {
  readonly node: string;
  /** This node's API server first, then others that know more where it knows too little. */
  readonly clients: readonly KubeClient[];
  /** `/etc/kubernetes/encryption/encryption-config.yaml` */
  readonly configurationPath: string;
  /** `/var/lib/kms-plugin/wish.json` */
  readonly wishPath: string;
  readonly reporterFiles: ReporterFiles;
  readonly plugin: Plugin;
  readonly apiServer: ApiServerProcess;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const resyncMs = 30_000;
const watchingMs = 250;
const servedWithinMs = 10_000;
const firstBackOffMs = 5_000;
const longestBackOffMs = 15_000;

interface Configuration {
  readonly content: string;
  readonly hash: string;
}

interface EncryptionConfigSecret {
  readonly metadata?: { readonly name?: string };
  readonly data?: { readonly 'encryption-config'?: string };
}

const configurationOf = (content: string | undefined): Configuration | undefined =>
  content === undefined ? undefined : { content, hash: hashOf(content) };

/** Keys of a configuration that was written by somebody; none where it is no configuration. */
const keysIn = (configuration: Configuration | undefined): readonly number[] => {
  try {
    return configuration === undefined ? [] : kmsKeysOf(configuration.content);
  } catch {
    return [];
  }
};

/** An error of a step, with how it is to be reported. */
class StepError extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, cause: unknown) {
    super(messageOf(cause), { cause });
    this.reason = reason;
  }
}

const failingAs = async <T>(reason: FailureReason, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw new StepError(reason, error);
  }
};

/** Brings what is wished to this node, and keeps it there; until `signal`. */
export const runInstaller = async (options: InstallerOptions): Promise<void> => {
  const { node, clients, configurationPath, reporterFiles, plugin, apiServer, log, signal } = options;
  const previousPath = `${configurationPath}.previous`;
  const wake = createWake();
  const backendWake = createWake();
  const wishFile = await openWishFile(options.wishPath, node, () => backendWake.ring());
  const reporter = createReporter(clients, node);
  const turn = turnOf(node, clients, log);
  const readFileOf = async (path: string) => configurationOf(await readFileIfThere(path));

  let wished: Configuration | undefined;
  let servedHash: string | undefined;
  let failures = 0;
  /** The last outcome that was reported, so that it is once. */
  let reported: string | undefined;
  let silentSince: number | undefined;

  const watching = watchList<EncryptionConfigSecret>({
    clients,
    path: '/api/v1/namespaces/openshift-kube-apiserver/secrets',
    query: { fieldSelector: 'metadata.name=encryption-config' },
    changed: ([secret]) => {
      const data = secret?.data?.['encryption-config'];
      const next = configurationOf(data === undefined ? undefined : Buffer.from(data, 'base64').toString());
      if (next?.hash === wished?.hash) return;
      wished = next;
      failures = 0;
      wake.ring();
    },
    failed: (reason) => log.warn({ reason }, 'could not watch secret encryption-config'),
    signal,
  });
  /** Nobody's health is worth that encryption does not go on. */
  const unhindered = (writing: Promise<void>): Promise<void> =>
    writing.catch((error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'could not write for the health reporter'),
    );
  const watchingToken = watchList<TokenSecret>({
    clients,
    path: '/api/v1/namespaces/openshift-kube-apiserver/secrets',
    query: { fieldSelector: 'metadata.name=kms-health-reporter-token' },
    changed: ([secret]) => {
      if (secret !== undefined) void unhindered(reporterFiles.identify(secret));
    },
    failed: (reason) => log.warn({ reason }, 'could not watch secret kms-health-reporter-token'),
    signal,
  });
  const backendLoop = runBackendLoop({
    node,
    clients,
    wishFile,
    plugin,
    reporter,
    servedHash: () => servedHash,
    wake: backendWake,
    log,
    signal,
  });

  const report = async (outcome: Outcome, key: string): Promise<void> => {
    if (reported === key) return;
    await reporter.nodeStatus(outcome);
    reported = key;
  };

  const observe = async () => {
    const [instances, file, previous] = await Promise.all([
      apiServer.instances(signal),
      readFileOf(configurationPath),
      readFileOf(previousPath),
    ]);
    const answers = instances.some(({ loaded }) => loaded !== undefined);
    silentSince = answers ? undefined : (silentSince ?? performance.now());
    const silentMs = silentSince === undefined ? 0 : performance.now() - silentSince;
    // A wish that came while this looked is in it: rung for once more, one that fails would be tried again without a pause.
    wake.hush();
    return { instances, file, previous, wished, silentMs };
  };
  type Observed = Awaited<ReturnType<typeof observe>>;

  const putBack = async (previous: Configuration | undefined): Promise<void> => {
    if (previous !== undefined) await writeFileWhole(configurationPath, previous.content);
    await rm(previousPath, { force: true });
  };

  /** @returns whether it came; it does not where something else is wished by then. */
  const untilTurn = async (hash: string): Promise<boolean> => {
    while (!(await turn.begins())) {
      await wake.wait(watchingMs, signal);
      if (signal.aborted || wished?.hash !== hash) return false;
    }
    return true;
  };

  const load = async (
    { content, hash }: Configuration,
    file: Configuration | undefined,
    old: Configuration | undefined,
  ): Promise<void> => {
    await failingAs('InstallerFailed', async () => {
      if (old !== undefined && old.hash !== hash) await writeFileWhole(previousPath, old.content);
      if (file?.hash !== hash) await writeFileWhole(configurationPath, content);
    });
    try {
      await failingAs('OperandFailed', () => apiServer.handOver(hash, signal));
    } catch (error) {
      // Told to end: the next installer finds both files and goes on.
      if (!signal.aborted) await putBack(old);
      throw error;
    }
  };

  const take = async ({ instances, file, previous }: Observed, configuration: Configuration): Promise<void> => {
    const { content, hash } = configuration;
    const loaded = instances[0]?.loaded;
    const old = previous?.hash === loaded ? previous : file;
    await failingAs('InstallerFailed', async () => {
      const keys = kmsKeysOf(content);
      const oldKeys = keysIn(old);
      const allKeys = [...keysIn(file), ...oldKeys, ...keys];
      await wishFile.wantKeys(allKeys);
      // Old ones too: an API server that starts while a plugin is down cannot read, and does not get ready.
      await plugin.untilServed(keys, servedWithinMs, signal);
      await unhindered(reporterFiles.watchKeys(allKeys));
    });
    if (!(await untilTurn(hash))) return;
    log.info({ from: loaded, to: hash }, 'handing over');
    try {
      await load(configuration, file, old);
    } finally {
      await turn.end();
    }
    await settle(configuration, hash);
    await report({ kind: 'taken' }, hash);
  };

  const settle = async (configuration: Configuration, file: string | undefined): Promise<void> => {
    const keys = keysIn(configuration);
    // Before their sockets go.
    await unhindered(reporterFiles.watchKeys(keys));
    await wishFile.wantKeys(keys);
    if (file !== configuration.hash) await writeFileWhole(configurationPath, configuration.content);
    await rm(previousPath, { force: true });
    if (servedHash !== configuration.hash) backendWake.ring();
    servedHash = configuration.hash;
  };

  /** @returns how long to wait for something to happen before the next look, milliseconds. */
  const act = async (step: Step, observed: Observed): Promise<number> => {
    switch (step.kind) {
      case 'rest':
        return resyncMs;
      case 'wait':
        return watchingMs;
      case 'start':
        await apiServer.start();
        return watchingMs;
      case 'end':
        log.info({ names: step.names }, 'ending what is left of a handover');
        for (const name of step.names) await apiServer.end(name);
        return 0;
      case 'goBack':
        log.warn({ from: observed.file?.hash, to: observed.previous?.hash }, 'going back to the file before');
        await putBack(observed.previous);
        for (const name of step.names) await apiServer.restart(name);
        silentSince = undefined;
        return watchingMs;
      case 'settle':
        if (observed.wished === undefined) return resyncMs;
        await settle(observed.wished, observed.file?.hash);
        await report({ kind: 'kept' }, observed.wished.hash);
        return resyncMs;
      case 'take':
        if (observed.wished !== undefined) await take(observed, observed.wished);
        return 0;
    }
  };

  const fail = async (error: unknown): Promise<number> => {
    const backOffMs = Math.min(firstBackOffMs * 2 ** failures, longestBackOffMs);
    const message = messageOf(error);
    failures += 1;
    if (!(error instanceof StepError)) {
      log.warn({ reason: message }, 'could not look or act; trying again');
      return Math.min(backOffMs / 5, firstBackOffMs);
    }
    log.error({ reason: message, backOffMs }, 'could not take the configuration; the old one stays');
    await report({ kind: 'failed', reason: error.reason, message, now: new Date() }, `failure ${failures}`).catch(
      (cause: unknown) => log.warn({ reason: messageOf(cause) }, 'could not report the failure'),
    );
    return backOffMs;
  };

  const first = await readFileOf(configurationPath);
  await wishFile.wantKeys([...wishFile.wish.keys.map(({ number }) => number), ...keysIn(first)]);
  while (!signal.aborted) {
    let waitMs: number;
    try {
      const observed = await observe();
      const { instances, silentMs } = observed;
      const step = planStep({
        instances,
        silentMs,
        wished: observed.wished?.hash,
        file: observed.file?.hash,
        previous: observed.previous?.hash,
      });
      log.debug({ step, instances }, 'looked');
      waitMs = await act(step, observed);
      if (step.kind === 'settle') failures = 0;
    } catch (error) {
      if (signal.aborted) break;
      waitMs = await fail(error);
    }
    await wake.wait(waitMs, signal);
  }
  await Promise.all([watching, watchingToken, backendLoop]);
};
