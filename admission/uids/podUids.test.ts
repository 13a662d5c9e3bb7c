import { describe, expect, it } from 'vitest';
import type { JsonPatchOperation } from '../jsonPatch.ts';
import { ephemeralUidPatch, needsUid, type Pod, randomUid, uidPatch } from './podUids.ts';

type Spec = NonNullable<Pod['spec']>;
const uid = 1_000_650_000;
const nonRoot = { runAsNonRoot: true };
const add = (path: string, value: unknown): JsonPatchOperation => ({ op: 'add', path, value });

const cases: readonly (readonly [string, Spec, readonly JsonPatchOperation[]])[] = [
  ['nobody says anything', { securityContext: {}, containers: [{ name: 'a' }] }, []],
  [
    'root is ruled out for the pod',
    { securityContext: nonRoot, containers: [{ name: 'a' }] },
    [add('/spec/securityContext/runAsUser', uid)],
  ],
  ['the pod says who it is', { securityContext: { ...nonRoot, runAsUser: 7 }, containers: [{ name: 'a' }] }, []],
  [
    'root is ruled out for one container',
    { securityContext: {}, containers: [{ name: 'a' }, { name: 'b', securityContext: nonRoot }] },
    [add('/spec/containers/1/securityContext/runAsUser', uid)],
  ],
  [
    'only an init container lacks it',
    {
      securityContext: nonRoot,
      initContainers: [{ name: 'i' }],
      containers: [{ name: 'a', securityContext: { runAsUser: 5 } }],
    },
    [add('/spec/securityContext/runAsUser', uid)],
  ],
  [
    'every container says who it is',
    { securityContext: nonRoot, containers: [{ name: 'a', securityContext: { runAsUser: 5 } }] },
    [],
  ],
  [
    'a container is root on purpose, another one is not',
    {
      securityContext: nonRoot,
      containers: [{ name: 'a', securityContext: { runAsNonRoot: false } }, { name: 'b' }],
    },
    [add('/spec/containers/1/securityContext', { runAsUser: uid })],
  ],
  [
    'a container that says that it is root says so by its UID',
    {
      securityContext: nonRoot,
      containers: [{ name: 'a', securityContext: { runAsNonRoot: false, runAsUser: 0 } }, { name: 'b' }],
    },
    [add('/spec/securityContext/runAsUser', uid)],
  ],
  [
    'the pod has no security context',
    { containers: [{ name: 'a', securityContext: nonRoot }] },
    [add('/spec/containers/0/securityContext/runAsUser', uid)],
  ],
  ['it is for Windows', { os: { name: 'windows' }, securityContext: nonRoot, containers: [{ name: 'a' }] }, []],
];

describe('the UID of a pod', () => {
  it.each(cases)('is set where it is needed: %s', (_, spec, patch) => {
    expect(uidPatch({ spec }, { uid })).toEqual(patch);
    expect(needsUid({ spec })).toBe(patch.length > 0);
  });

  it('comes with the group of volumes, unless the pod has one', () => {
    const containers = [{ name: 'a', securityContext: nonRoot }];
    expect(uidPatch({ spec: { containers } }, { uid, fsGroup: 9 })).toEqual([
      add('/spec/securityContext', { fsGroup: 9 }),
      add('/spec/containers/0/securityContext/runAsUser', uid),
    ]);
    const securityContext = { ...nonRoot, fsGroup: 3 };
    expect(uidPatch({ spec: { securityContext, containers } }, { uid, fsGroup: 9 })).toEqual([
      add('/spec/securityContext/runAsUser', uid),
    ]);
    expect(uidPatch({ spec: { containers: [{ name: 'a' }] } }, { uid, fsGroup: 9 })).toEqual([]);
  });

  it('is set on ephemeral containers that are new, and on nothing else', () => {
    const before = {
      spec: {
        containers: [{ name: 'a', securityContext: nonRoot }],
        ephemeralContainers: [{ name: 'old', securityContext: nonRoot }],
      },
    };
    const ephemeralContainers = [...before.spec.ephemeralContainers, { name: 'new', securityContext: nonRoot }];
    expect(ephemeralUidPatch({ spec: { ...before.spec, ephemeralContainers } }, before, uid)).toEqual([
      add('/spec/ephemeralContainers/1/securityContext/runAsUser', uid),
    ]);
  });

  it('is random from OpenShift’s first to its last, and the same for containers that come later', () => {
    expect(randomUid({}, () => 0)).toBe(1_000_000_000);
    expect(randomUid({}, () => 1 - Number.EPSILON)).toBe(1_999_999_999);
    const given = { spec: { containers: [{ name: 'a', securityContext: { runAsUser: uid } }, { name: 'b' }] } };
    expect(randomUid(given, () => 0.5)).toBe(uid);
  });
});

/** From 0 to 1, the same each time. */
const createRandom = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

const somePod = (random: () => number): Pod => {
  const one = <T>(...values: readonly T[]): T | undefined => values[Math.floor(random() * values.length)];
  const context = () => {
    const runAsNonRoot = one(undefined, true, false);
    const runAsUser = one(undefined, undefined, 0, 42);
    return one(undefined, {
      ...(runAsNonRoot !== undefined && { runAsNonRoot }),
      ...(runAsUser !== undefined && { runAsUser }),
    });
  };
  const containers = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const securityContext = context();
      return { name: `${prefix}${i}`, ...(securityContext && { securityContext }) };
    });
  const securityContext = context();
  return {
    spec: {
      ...(securityContext && { securityContext }),
      initContainers: containers('i', Math.floor(random() * 3)),
      containers: containers('c', 1 + Math.floor(random() * 3)),
    },
  };
};

const apply = (pod: Pod, patch: readonly JsonPatchOperation[]): Pod => {
  const copy = structuredClone(pod);
  for (const operation of patch) {
    const keys = operation.path.split('/').slice(1);
    const last = keys.pop() ?? '';
    const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, { ...copy });
    if (operation.op === 'add') parent[last] = operation.value;
  }
  return copy;
};

const effective = ({ spec = {} }: Pod) =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ securityContext: own = {} }) => ({
    nonRoot: own.runAsNonRoot ?? spec.securityContext?.runAsNonRoot,
    user: own.runAsUser ?? spec.securityContext?.runAsUser,
  }));

it('never needs a second pass, and changes nobody who did not need it, whatever the pod', () => {
  const random = createRandom(1);
  for (let i = 0; i < 3_000; i++) {
    const pod = somePod(random);
    const patched = apply(pod, uidPatch(pod, { uid, fsGroup: uid }));
    expect(uidPatch(patched, { uid: 1, fsGroup: 1 }), JSON.stringify(pod)).toEqual([]);
    const wanted = effective(pod).map(({ nonRoot: must, user }) => ({
      nonRoot: must,
      user: must === true ? (user ?? uid) : user,
    }));
    // A container that says nothing of root runs as its pod does, if the pod may not be root.
    expect(effective(patched), JSON.stringify(pod)).toEqual(wanted);
  }
});
