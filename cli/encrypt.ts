import { Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { type ClusterObjects, patiently, withClusterObjects } from './clusterObjects.ts';
import { checkVaultAddress, modePatch, type ProviderChange, providerPatch } from './encryption/kms.ts';
import { type ApiServerObject, type EncryptionObjects, paths } from './encryption/objects.ts';
import { readAllEncryption, readEncryption } from './encryption/read.ts';
import { type EncryptionMode, encryptionStatus, modeAskedFor } from './encryption/state.ts';
import { type Goal, isReached, latestKeyNumber, lookAtTransition } from './encryption/transition.ts';
import { waitUntil } from './encryption/wait.ts';
import { interruptibly } from './interruption.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import type { Stack } from './stack.ts';
import { durationOption } from './values.ts';

export interface WaitOptions extends OutputOptions {
  /** A duration as Go writes it. */
  readonly timeout: string;
}

interface EncryptResult {
  readonly stack: string;
  readonly type: EncryptionMode;
  /** Whether anything was asked for that was not so already. */
  readonly changed: boolean;
  /** `null` where no key was ever made. */
  readonly key: string | null;
  readonly seconds: number;
}

export const requireApiServer = ({ apiServer }: EncryptionObjects, tried: string, stack: Stack): ApiServerObject => {
  if (apiServer !== undefined) return apiServer;
  throw new Failure({
    tried,
    got: 'the cluster has no apiservers.config.openshift.io/cluster',
    next: `run 'understudy up ${stack.name}', which installs it`,
  });
};

interface Transition {
  readonly tried: string;
  /** The merge patch of APIServer/cluster that asks for it; undefined where it is asked for already. */
  readonly patch: object | undefined;
  readonly goal: Goal;
  readonly before: EncryptionObjects;
}

/** How long a transition may take, and who is told of it meanwhile. */
interface Patience {
  /** A duration as Go writes it. */
  readonly timeout: string;
  readonly progress: Progress;
}

/** Asks for a transition, waits until the operator is done, and says so. */
const follow = (
  objects: ClusterObjects,
  stack: Stack,
  { timeout, progress }: Patience,
  { tried, patch, goal, before }: Transition,
): Promise<EncryptResult> =>
  interruptibly(async (signal) => {
    const begin = performance.now();
    const status = encryptionStatus(before);
    let now = status;
    if (patch !== undefined) {
      await patiently(() => objects.patch(paths.apiServer, patch));
      progress.note(`asked for ${goal.mode}`);
    }
    if (patch !== undefined || !isReached(goal, status)) {
      await waitUntil(
        async () => {
          const seen = await readEncryption(objects);
          now = encryptionStatus(seen);
          return lookAtTransition(goal, before, seen);
        },
        {
          tried: `${tried} within ${timeout}`,
          timeoutMs: durationOption('--timeout', timeout),
          next: `'understudy status ${stack.name} --watch' shows how it goes on; see 'understudy logs kube-apiserver-operator ${stack.name}'`,
          goesOn: 'the operator goes on without this command, and nothing is lost',
          progress,
          signal,
        },
      );
    }
    const [latest] = now.keys;
    const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
    return { stack: stack.name, type: goal.mode, changed: patch !== undefined, key: latest?.id ?? null, seconds };
  });

const resultText = ({ type, changed, key, seconds }: EncryptResult, waited: boolean): string => {
  const state =
    type === 'identity'
      ? 'Secrets and config maps are stored as plain text'
      : `Secrets and config maps are encrypted in etcd by ${type}, key ${key}`;
  if (changed || waited) return `${state}, after ${seconds.toFixed(1)} s.`;
  return `${state}, as they were: nothing was changed.`;
};

interface Encrypted {
  readonly result: EncryptResult;
  /** Whether there was anything to wait for. */
  readonly waited: boolean;
}

/** Asks for a mode of encryption and waits until everything is stored so. */
export const encryptStack = (stack: Stack, mode: EncryptionMode, patience: Patience): Promise<Encrypted> => {
  const tried = `encrypt stack ${stack.name} by ${mode}`;
  return withClusterObjects(stack, tried, async (objects) => {
    const before = await patiently(() => readEncryption(objects));
    const apiServer = requireApiServer(before, tried, stack);
    const goal = { mode, newerThan: 0 };
    const isAsked = modeAskedFor(apiServer) === mode;
    const waited = !isReached(goal, encryptionStatus(before));
    const patch = isAsked ? undefined : modePatch(apiServer, mode);
    return { result: await follow(objects, stack, patience, { tried, patch, goal, before }), waited };
  });
};

/** Waits until everything is stored as the cluster is asked for, whoever asked. */
export const encryptedAsAsked = (stack: Stack, patience: Patience): Promise<EncryptResult> => {
  const tried = `have stack ${stack.name} encrypted as it is asked to be`;
  return withClusterObjects(stack, tried, async (objects) => {
    const before = await patiently(() => readEncryption(objects));
    const mode = modeAskedFor(requireApiServer(before, tried, stack)) ?? 'identity';
    return follow(objects, stack, patience, { tried, patch: undefined, goal: { mode, newerThan: 0 }, before });
  });
};

export const encrypt = async (stack: Stack, mode: EncryptionMode, options: WaitOptions): Promise<void> => {
  durationOption('--timeout', options.timeout);
  const patience = { timeout: options.timeout, progress: progressFor(options) };
  const { result, waited } = await encryptStack(stack, mode, patience);
  printResult(options, result, resultText(result, waited));
};

export interface MigrateProviderOptions extends WaitOptions, ProviderChange {}

/** Moves from one KMS to another, or to another key of it, and waits until everything is stored under the new one. */
export const migrateProvider = async (stack: Stack, options: MigrateProviderOptions): Promise<void> => {
  durationOption('--timeout', options.timeout);
  if (options.vaultAddress !== undefined) checkVaultAddress(options.vaultAddress);
  const tried = `migrate stack ${stack.name} to another KMS provider`;
  await withClusterObjects(stack, tried, async (objects) => {
    const before = await readAllEncryption(objects, stack.name);
    const patch = providerPatch(requireApiServer(before, tried, stack), options);
    const goal: Goal = { mode: 'KMS', newerThan: latestKeyNumber(encryptionStatus(before)) };
    const patience = { timeout: options.timeout, progress: progressFor(options) };
    const result = await follow(objects, stack, patience, { tried, patch, goal, before });
    printResult(options, result, resultText(result, true));
  });
};
