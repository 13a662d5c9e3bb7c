import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../plugin/faults/fault.ts';
import { aliasOf } from '../../plugin/faults/faultyService.ts';
import { callTimeoutMs } from './faultsApiServer.ts';
import type { KmsClient } from './plugin.process.ts';

/** A request to the API server that works, or the text that it fails with. */
export type Outcome = 'works' | RegExp;

/** A fault, and how a client of the plugin and a real kube-apiserver meet it. */
export interface Case {
  readonly title: string;
  /** Without name and key. */
  readonly fault: Readonly<Record<string, unknown>> & { readonly kind: Fault['kind'] };
  /** Whether a client of the plugin meets the fault. */
  readonly met: (client: KmsClient) => Promise<boolean>;
  /** What an API server that was running before says of its health, at the latest when it asks Status again. */
  readonly health: 'ok' | RegExp;
  /** What one that starts into the fault does. */
  readonly started: {
    readonly health: 'ok' | RegExp;
    readonly write: Outcome;
    /** Of an object that another process of kube-apiserver wrote. */
    readonly read: Outcome;
  };
  /** The calls of the second API server and how they ended: `Status OK`. */
  readonly calls: readonly string[];
}

export const plaintext = Buffer.alloc(32, 7);

/** gRPC's code where the call fails. */
export const codeOf = (call: Promise<unknown>): Promise<number | undefined> =>
  call.then(
    () => undefined,
    (error: { readonly code?: number }) => error.code,
  );

const isLate = async (call: Promise<unknown>, ms: number): Promise<boolean> =>
  Promise.race([call.then(() => false), sleep(ms, true)]);

const noDek = /got unexpected nil transformer/;
const coldStart = (health: RegExp) => ({ health, write: noDek, read: noDek });
const noHarm = { health: 'ok', write: 'works', read: 'works' } as const;
const deadline = /rpc error: code = DeadlineExceeded/;
const notRotated = /failed to rotate DEK/;
const allGoWell = ['Decrypt OK', 'Encrypt OK', 'Status OK'];

export const cases: readonly Case[] = [
  {
    title: 'latency that kube-apiserver waits for',
    fault: { kind: 'latency', milliseconds: 200 },
    met: (client) => isLate(client.status(), 150),
    health: 'ok',
    started: noHarm,
    calls: allGoWell,
  },
  {
    title: 'latency beyond the timeout of kube-apiserver',
    fault: { kind: 'latency', milliseconds: 2 * callTimeoutMs },
    met: (client) => isLate(client.status(), 150),
    health: deadline,
    started: coldStart(deadline),
    calls: ['Status DeadlineExceeded'],
  },
  {
    title: 'hang',
    fault: { kind: 'hang' },
    met: (client) => isLate(client.status(), 150),
    health: deadline,
    started: coldStart(deadline),
    calls: ['Status DeadlineExceeded'],
  },
  {
    title: 'missing-socket',
    fault: { kind: 'missing-socket' },
    met: async (client) => (await codeOf(client.status())) === 14,
    health: deadline,
    started: coldStart(deadline),
    calls: ['Status DeadlineExceeded'],
  },
  {
    title: 'error',
    fault: { kind: 'error', code: 'UNAVAILABLE', message: 'the KMS is gone' },
    met: async (client) => (await codeOf(client.status())) === 14,
    health: /rpc error: code = Unavailable desc = the KMS is gone/,
    started: coldStart(/rpc error: code = Unavailable desc = the KMS is gone/),
    calls: ['Status Unavailable'],
  },
  {
    title: 'error of Encrypt',
    fault: { kind: 'error', code: 'INTERNAL', method: 'encrypt' },
    met: async (client) => (await codeOf(client.encrypt(plaintext))) === 13,
    health: 'ok',
    started: coldStart(/failed to encrypt DEK, error: rpc error: code = Internal desc = fault /),
    calls: ['Encrypt Internal', 'Status OK'],
  },
  {
    title: 'decrypt-only',
    fault: { kind: 'decrypt-only' },
    met: async (client) => (await codeOf(client.decrypt(await client.encrypt(plaintext)))) === 7,
    health: 'ok',
    started: {
      health: 'ok',
      write: 'works',
      read: /failed to decrypt DEK, error: rpc error: code = PermissionDenied desc = fault .*: Decrypt is not permitted/,
    },
    calls: ['Decrypt PermissionDenied', 'Encrypt OK', 'Status OK'],
  },
  {
    title: 'unhealthy',
    fault: { kind: 'unhealthy' },
    met: async (client) => (await client.status()).healthz !== 'ok',
    health: /got unexpected healthz status: unhealthy/,
    started: { health: /got unexpected healthz status: unhealthy/, write: 'works', read: 'works' },
    calls: allGoWell,
  },
  {
    title: 'wrong-version',
    fault: { kind: 'wrong-version' },
    met: async (client) => (await client.status()).version !== 'v2',
    health: /expected KMSv2 API version v2, got v1beta1/,
    started: { health: /expected KMSv2 API version v2, got v1beta1/, write: 'works', read: 'works' },
    calls: allGoWell,
  },
  {
    title: 'flip-flop-key-id',
    fault: { kind: 'flip-flop-key-id' },
    // In this order, so that the API server meets the alias next and not what it has.
    met: async (client) => {
      const [first, second] = [await client.status(), await client.status()];
      return first.keyId === aliasOf(second.keyId);
    },
    health: 'ok',
    started: noHarm,
    calls: allGoWell,
  },
  {
    title: 'mismatched-key-id',
    fault: { kind: 'mismatched-key-id' },
    met: async (client) => (await client.status()).keyId !== (await client.encrypt(plaintext)).keyId,
    health: 'ok',
    started: coldStart(notRotated),
    calls: ['Encrypt OK', 'Status OK'],
  },
  {
    title: 'empty-key-id',
    fault: { kind: 'empty-key-id' },
    met: async (client) => (await client.status()).keyId === '',
    health: /keyID is empty/,
    started: coldStart(/keyID is empty/),
    calls: ['Status OK'],
  },
  {
    title: 'oversized-key-id',
    fault: { kind: 'oversized-key-id' },
    met: async (client) => (await client.status()).keyId.length === 1025,
    health: /keyID is 1025 bytes, which exceeds the max size of 1024/,
    started: coldStart(/keyID is 1025 bytes, which exceeds the max size of 1024/),
    calls: ['Status OK'],
  },
  {
    title: 'rate-limit of one call a second',
    fault: { kind: 'rate-limit', perSecond: 1 },
    met: async (client) =>
      (await Promise.all([codeOf(client.status()), codeOf(client.status())])).some((code) => code === 8),
    health: 'ok',
    // Status takes what there is, and nothing is left for Encrypt.
    started: coldStart(/failed to encrypt DEK, error: rpc error: code = ResourceExhausted/),
    calls: ['Encrypt ResourceExhausted', 'Status OK'],
  },
  {
    title: 'a fault of another key',
    fault: { kind: 'hang', key: 999 },
    met: () => Promise.resolve(true),
    health: 'ok',
    started: noHarm,
    calls: allGoWell,
  },
];
