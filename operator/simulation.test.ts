import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import { isInvalid, parseKeySecret } from './keySecret.ts';
import { annotations } from './names.ts';
import type { OperatorCondition } from './observation.ts';
import { SimulatedCluster } from './testing/cluster.ts';
import { annotated } from './testing/fixtures.ts';
import { type Chance, chanceOf } from './testing/random.ts';

const bytesFrom = (chance: Chance) => (size: number) => Uint8Array.from({ length: size }, () => chance.below(256));

const newestKeyName = (cluster: SimulatedCluster): string =>
  String(Math.max(1, ...cluster.keySecrets.map(({ metadata }) => Number(metadata.name.split('-').at(-1)))));

/** What a user may want to change at any moment. */
const change = (cluster: SimulatedCluster, chance: Chance): void => {
  const wish = chance.below(8);
  if (wish < 5) cluster.mode = chance.pick(['', 'identity', 'aescbc', 'aesgcm', 'KMS', 'KMS']);
  if (wish === 5) cluster.reason = `reason ${chance.below(1000)}`;
  if (wish === 6) cluster.keyPath = `transit/keys/${chance.pick(['one', 'two', 'three'])}`;
  if (wish === 7) {
    const name = newestKeyName(cluster);
    cluster.keyVersions[name] = (cluster.keyVersions[name] ?? 1) + 1;
  }
};

const spoiled = 'edited by hand';

const spoil = (cluster: SimulatedCluster, chance: Chance): void => {
  if (cluster.keySecrets.length === 0) return;
  const { metadata } = chance.pick(cluster.keySecrets);
  const mode = metadata.annotations?.[annotations.mode] ?? '';
  if (mode.endsWith(spoiled)) return;
  cluster.edit(metadata.name, (secret) => annotated(secret, { [annotations.mode]: `${mode} ${spoiled}` }));
};

const repair = (cluster: SimulatedCluster): void => {
  for (const { metadata } of cluster.keySecrets) {
    const mode = metadata.annotations?.[annotations.mode]?.replace(` ${spoiled}`, '') ?? '';
    cluster.edit(metadata.name, (secret) => annotated(secret, { [annotations.mode]: mode }));
  }
};

const isDegraded = ({ type, status }: OperatorCondition): boolean => type.endsWith('Degraded') && status === 'True';

const run = (seed: number, apiServers: number, edits: boolean): SimulatedCluster => {
  const chance = chanceOf(seed);
  const cluster = new SimulatedCluster(chance, apiServers, 4);
  const happen = (calm: boolean) => {
    cluster.step(calm);
    expect(cluster.unreadable()).toEqual([]);
  };
  for (let round = 0; round < 400; round++) {
    if (chance.happens(0.03)) change(cluster, chance);
    if (edits && chance.happens(0.01)) spoil(cluster, chance);
    if (edits && chance.happens(0.02)) repair(cluster);
    const decision = decide(cluster.observe(), cluster.now, bytesFrom(chance));
    const cutOff = chance.happens(0.2) ? chance.below(decision.actions.length + 1) : undefined;
    cluster.act(decision, () => happen(false), cutOff);
    happen(false);
  }
  repair(cluster);
  let quietRounds = 0;
  for (let round = 0; round < 4000 && quietRounds < 60; round++) {
    const decision = decide(cluster.observe(), cluster.now, bytesFrom(chance));
    const failing = decision.conditions.some((set) => set.conditions.some(isDegraded));
    const resting = decision.actions.length === 0 && decision.recheckAfterMs >= 60_000 && !failing;
    quietRounds = resting ? quietRounds + 1 : 0;
    cluster.act(decision, () => happen(true));
    happen(true);
  }
  expect(quietRounds, 'it comes to rest').toBe(60);
  return cluster;
};

const expectAskedFor = (cluster: SimulatedCluster): void => {
  const keys = cluster.keySecrets.map(parseKeySecret).filter((key) => !isInvalid(key));
  const mode = cluster.mode === '' ? 'identity' : cluster.mode;
  const encrypted = cluster.condition('Encrypted');
  if (mode === 'identity') {
    expect(new Set(cluster.values().map(({ cipher }) => cipher))).toEqual(new Set(['identity']));
    expect(encrypted?.status ?? 'False').toBe('False');
    expect(encrypted?.reason).toBe(keys.length === 0 ? undefined : 'DecryptionCompleted');
    return;
  }
  const name = newestKeyName(cluster);
  const ciphers = new Set(cluster.values().map(({ cipher }) => cipher.split(' ').slice(0, 2).join(' ')));
  expect(ciphers).toEqual(new Set([`${mode} ${name}`]));
  expect(encrypted).toMatchObject({ status: 'True', reason: 'EncryptionCompleted' });
  if (mode === 'KMS') {
    const versions = new Set(cluster.values().map(({ keyVersion }) => keyVersion));
    expect(versions).toEqual(new Set([cluster.keyVersions[name] ?? 1]));
  }
};

const seeds = Array.from({ length: 8 }, (_, seed) => seed + 1);

describe('whatever happens to API servers, plugins, migrations and the operator, with modes changing meanwhile', () => {
  it.each(seeds)('three API servers read every value at any moment and end in what was asked for (seed %i)', (seed) => {
    expectAskedFor(run(seed, 3, false));
  });

  it.each(seeds)('so does a single one (seed %i)', (seed) => {
    expectAskedFor(run(seed, 1, false));
  });

  it.each(seeds)('so do three while key secrets are edited by hand and put right again (seed %i)', (seed) => {
    expectAskedFor(run(seed, 3, true));
  });
});
