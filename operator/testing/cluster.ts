import { createHash } from 'node:crypto';
import type { Action, Decision } from '../action.ts';
import { readConfigSecret } from '../configSecret.ts';
import { configHashOf } from '../deployed.ts';
import type { Provider } from '../encryptionConfiguration.ts';
import type { MigrationObservation, Observation, OperatorCondition, OperatorObject, Secret } from '../observation.ts';
import { appRoleSecret, both, caBundle, vaultPlugin } from './fixtures.ts';
import type { Chance } from './random.ts';

/** What encrypted a value: `identity`, `aescbc 1 <key>`, `KMS 2`. */
type Cipher = string;

interface Value {
  readonly cipher: Cipher;
  /** Of a KMS key, as its API server knew it. */
  readonly keyVersion: number;
}

interface ApiServer {
  readonly node: string;
  up: boolean;
  loaded: Secret | undefined;
  /** Newest version by key name that it knows of. */
  readonly versions: Map<string, number>;
}

interface Migration {
  writeKey: string;
  outcome: MigrationObservation['outcome'];
  finishedAt: number | undefined;
  todo: number[];
}

const cipherOf = (provider: Provider): Cipher => {
  for (const mode of ['aescbc', 'aesgcm', 'secretbox'] as const) {
    const key = provider[mode]?.keys[0];
    if (key !== undefined) return `${mode} ${key.name} ${key.secret}`;
  }
  return provider.kms === undefined ? 'identity' : `KMS ${provider.kms.name.split('_', 1)[0]}`;
};

const keyNameOf = (cipher: Cipher): string => cipher.split(' ')[1] ?? '';

export const keyIdOf = (keyName: string, version: number): string => `key-${keyName}-${version}`;

/**
 * API servers, their plugins, installers and a migrator, as far as the operator can tell: each with a lag of its own, none of them
 * reliable, and clients that write all the time.
 */
export class SimulatedCluster {
  mode = '';
  reason = '';
  keyPath = 'transit/keys/one';
  now = Date.parse('2026-11-21T12:00:00Z');
  pluginsReady = true;
  readonly keyVersions: Record<string, number> = {};
  readonly #chance: Chance;
  readonly #servers: readonly ApiServer[];
  readonly #values: Readonly<Record<string, Value[]>>;
  readonly #secrets = new Map<string, Secret>();
  readonly #migrations = new Map<string, Migration>();
  #conditions = new Map<string, OperatorCondition>();
  #preflight: OperatorObject['preflight'];
  #version = 1;
  readonly #ciphersOf = new WeakMap<Secret, ReadonlyMap<string, readonly Cipher[]>>();

  constructor(chance: Chance, apiServers: number, valuesEach: number) {
    this.#chance = chance;
    this.#servers = Array.from({ length: apiServers }, (_, index) => ({
      node: `cp-${index + 1}`,
      up: true,
      loaded: undefined,
      versions: new Map(),
    }));
    const plain = { cipher: 'identity', keyVersion: 1 };
    this.#values = Object.fromEntries(both.map((resource) => [resource, Array<Value>(valuesEach).fill(plain)]));
  }

  get keySecrets(): readonly Secret[] {
    return [...this.#secrets.values()].filter(({ metadata }) => metadata.name.startsWith('encryption-key-'));
  }

  condition(type: string): OperatorCondition | undefined {
    return this.#conditions.get(type);
  }

  values(): readonly Value[] {
    return Object.values(this.#values).flat();
  }

  observe(): Observation {
    const nodes = this.#servers.map(({ node }) => node);
    return {
      encryption: {
        type: this.mode,
        kms: { ...vaultPlugin, vault: { ...vaultPlugin.vault, vaultKeyPath: this.keyPath } },
      },
      operator: {
        managementState: 'Managed',
        unsupportedConfigOverrides: { encryption: { reason: this.reason } },
        conditions: [...this.#conditions.values()],
        ...(this.#preflight === undefined ? {} : { preflight: this.#preflight }),
      },
      controlPlane: nodes,
      apiServers: this.#servers.map((server) => this.#observed(server)),
      plugins: nodes.map((node) => ({
        node,
        ready: this.pluginsReady,
        ...(this.pluginsReady ? {} : { cause: 'gone' }),
      })),
      keySecrets: this.keySecrets,
      configSecret: this.#secrets.get('encryption-config-openshift-kube-apiserver'),
      configCopy: this.#secrets.get('encryption-config'),
      referencedSecrets: [appRoleSecret],
      referencedConfigMaps: [caBundle],
      migrations: [...this.#migrations].map(([resource, { writeKey, outcome, finishedAt }]) => ({
        resource,
        writeKey,
        outcome,
        ...(finishedAt === undefined ? {} : { finishedAt: new Date(finishedAt).toISOString() }),
      })),
      backend: {
        spec: { keyVersions: { ...this.keyVersions } },
        status: {
          nodes: Object.fromEntries(nodes.map((node) => [node, { observedGeneration: 1, keys: this.#served() }])),
        },
      },
    };
  }

  #observed(server: ApiServer): Observation['apiServers'][number] {
    if (!server.up) return { node: server.node, configHash: undefined, keyIDHashes: {}, failure: 'connection refused' };
    const hashes = [...this.#kmsKeys(server)].flatMap((name) => {
      const keyID = keyIdOf(name, server.versions.get(name) ?? 1);
      const hash = createHash('sha256').update(keyID).digest('hex');
      return both.map((resource) => [`${name}_${resource}`, hash]);
    });
    const configHash = server.loaded === undefined ? 'of the first file' : configHashOf(server.loaded);
    return { node: server.node, configHash, keyIDHashes: Object.fromEntries(hashes) };
  }

  #served(): Readonly<Record<string, { readonly version: number; readonly keyID: string }>> {
    const names = this.keySecrets.map(({ metadata }) => metadata.name.split('-').at(-1) ?? '');
    return Object.fromEntries(
      names.map((name) => [name, { version: this.#versionOf(name), keyID: keyIdOf(name, this.#versionOf(name)) }]),
    );
  }

  #versionOf(keyName: string): number {
    return this.keyVersions[keyName] ?? 1;
  }

  #ciphers({ loaded }: ApiServer, resource: string): readonly Cipher[] {
    return (loaded && this.#parsed(loaded).get(resource)) ?? ['identity'];
  }

  #parsed(config: Secret): ReadonlyMap<string, readonly Cipher[]> {
    const known = this.#ciphersOf.get(config);
    if (known !== undefined) return known;
    const entries = readConfigSecret(config)?.resources ?? [];
    const ciphers = new Map(entries.map(({ resources, providers }) => [resources?.[0] ?? '', providers.map(cipherOf)]));
    this.#ciphersOf.set(config, ciphers);
    return ciphers;
  }

  #kmsKeys(server: ApiServer): ReadonlySet<string> {
    const ciphers = both.flatMap((resource) => this.#ciphers(server, resource));
    return new Set(ciphers.filter((cipher) => cipher.startsWith('KMS ')).map(keyNameOf));
  }

  /** Values that an API server holds that one that serves cannot read. */
  unreadable(): readonly string[] {
    return this.#servers
      .filter(({ up }) => up)
      .flatMap((server) =>
        both.flatMap((resource) => {
          const readable = this.#ciphers(server, resource);
          const lost = (this.#values[resource] ?? []).find(({ cipher }) => !readable.includes(cipher));
          return lost === undefined ? [] : [`${server.node} cannot read ${resource} of ${lost.cipher}`];
        }),
      );
  }

  /** One thing happens: an API server takes a file or dies, a client writes, a migration goes on. */
  step(calm: boolean): void {
    this.now += 200 + this.#chance.below(2000);
    const server = this.#chance.pick(this.#servers);
    const happening = this.#chance.below(calm ? 4 : 6);
    if (happening === 0) this.#install(server);
    if (happening === 1) this.#write(this.#chance.pick(both));
    if (happening === 2) this.#migrate(calm);
    if (happening === 3) this.#poll(server, calm);
    if (happening === 4) server.up = this.#chance.happens(0.6);
    if (happening === 5) this.pluginsReady = this.#chance.happens(0.7);
  }

  #install(server: ApiServer): void {
    const copy = this.#secrets.get('encryption-config');
    if (copy === undefined) return;
    const usesKms = [...this.#parsed(copy).values()].flat().some((cipher) => cipher.startsWith('KMS '));
    if (usesKms && !this.pluginsReady) return;
    server.loaded = copy;
    server.up = true;
  }

  #poll(server: ApiServer, calm: boolean): void {
    if (calm) {
      server.up = true;
      this.pluginsReady = true;
    }
    if (!this.pluginsReady) return;
    for (const name of this.#kmsKeys(server)) server.versions.set(name, this.#versionOf(name));
  }

  #write(resource: (typeof both)[number], at?: number): void {
    const serving = this.#servers.filter(({ up }) => up);
    const values = this.#values[resource] ?? [];
    if (serving.length === 0) return;
    const server = this.#chance.pick(serving);
    const cipher = this.#ciphers(server, resource)[0] ?? 'identity';
    values[at ?? this.#chance.below(values.length)] = {
      cipher,
      keyVersion: server.versions.get(keyNameOf(cipher)) ?? 1,
    };
  }

  #migrate(calm: boolean): void {
    const resource = this.#chance.pick(both);
    const migration = this.#migrations.get(resource);
    if (migration?.outcome !== 'running' || this.#servers.every(({ up }) => !up)) return;
    const [at] = migration.todo.splice(0, 1);
    if (at !== undefined) this.#write(resource, at);
    if (!calm && this.#chance.happens(0.05)) this.#finish(migration, 'failed');
    else if (migration.todo.length === 0) this.#finish(migration, 'succeeded');
  }

  #finish(migration: Migration, outcome: 'failed' | 'succeeded'): void {
    migration.outcome = outcome;
    migration.finishedAt = this.now;
  }

  /** Does what a decision says, until it is cut off after some of it. */
  act(decision: Decision, between: () => void, cutOffAfter = Number.POSITIVE_INFINITY): void {
    for (const action of decision.actions.slice(0, cutOffAfter)) {
      between();
      this.#do(action);
    }
    if (decision.actions.length >= cutOffAfter) return;
    const conditions = decision.conditions.flatMap((set) => set.conditions);
    this.#conditions = new Map([...this.#conditions, ...conditions.map((one) => [one.type, one] as const)]);
  }

  #do(action: Action): void {
    if (action.kind === 'createKeySecret' || action.kind === 'applyConfigSecret' || action.kind === 'updateKeySecret') {
      this.#put(action.secret);
    }
    if (action.kind === 'deleteKeySecret') this.#remove(action.name);
    if (action.kind === 'writePreflight') this.#preflight = action.preflight;
    if (action.kind === 'pruneMigration') this.#migrations.delete(action.resource);
    if (action.kind === 'ensureMigration') this.#ensureMigration(action.resource, action.writeKey);
  }

  /** As the API server: a write with an old resourceVersion, or a creation of what exists, changes nothing. */
  #put(secret: Secret): void {
    const existing = this.#secrets.get(secret.metadata.name);
    if (existing?.metadata.resourceVersion !== secret.metadata.resourceVersion) return;
    this.#version += 1;
    const metadata = { ...secret.metadata, resourceVersion: String(this.#version) };
    this.#secrets.set(metadata.name, { ...secret, metadata });
  }

  #remove(name: string): void {
    const finalizers = this.#secrets.get(name)?.metadata.finalizers ?? [];
    if (finalizers.length > 0) throw new Error(`${name} is deleted with its finalizer on`);
    this.#secrets.delete(name);
  }

  #ensureMigration(resource: string, writeKey: string): void {
    if (this.#migrations.get(resource)?.writeKey === writeKey) return;
    const todo = (this.#values[resource] ?? []).map((_, index) => index);
    this.#migrations.set(resource, { writeKey, outcome: 'running', finishedAt: undefined, todo });
  }

  /** A hand edit. */
  edit(name: string, change: (secret: Secret) => Secret): void {
    const secret = this.#secrets.get(name);
    if (secret !== undefined) this.#put(change(secret));
  }
}
