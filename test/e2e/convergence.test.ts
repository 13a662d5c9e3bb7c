import { afterAll, beforeAll, expect, it } from 'vitest';
import { administratorClient } from '../../cluster/access.ts';
import { type ApiClient, expectOk } from '../../cluster/apiClient.ts';
import { patientClient } from '../../cluster/patientClient.ts';
import { tryExec } from '../../common/exec.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { endHome, eventually, type Finished, type Home, makeHome } from './support/home.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const stack = 'three';
const nodes = [`${stack}-control-plane`, `${stack}-control-plane2`, `${stack}-control-plane3`];
const secrets = '/api/v1/namespaces/default/secrets';
const apiServerPath = '/apis/config.openshift.io/v1/apiservers/cluster';

let home: Home;
let up: UpStack;
/** Of each node, by its own address. */
let apiServers: readonly ApiClient[];

beforeAll(async () => {
  home = await makeHome();
  up = await bringUp(home, stack, { controlPlanes: 3, encryption: 'identity' });
  apiServers = up.access.etcd.hosts.map((host) => patientClient(administratorClient(up.access, host)));
});

afterAll(async () => {
  for (const api of apiServers ?? []) api.close();
  await endHome(home);
});

/** Names of secrets whose writing was acknowledged; each holds its name. */
const written: string[] = [];

const write = async (api: ApiClient): Promise<void> => {
  const name = `written-${written.length}`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { plain: name } };
  // A conflict: it was written, and the answer was lost.
  expectOk(await api.ask('POST', secrets, secret), `write ${name}`, [409]);
  written.push(name);
};

/** Everything that was ever written can be read through each of these API servers. */
const readAll = async (through: readonly ApiClient[]): Promise<void> => {
  for (const api of through) {
    for (const name of written) {
      const { body } = expectOk(await api.ask('GET', `${secrets}/${name}`), `read ${name}`);
      const { data } = JSON.parse(body) as { readonly data: { readonly plain: string } };
      expect(Buffer.from(data.plain, 'base64').toString()).toBe(name);
    }
  }
};

/** What one API server writes all can read, and everything is stored as asked for. */
const isProven = async (): Promise<void> => {
  for (const api of apiServers) await write(api);
  await readAll(apiServers);
  await up.verifies();
};

/** Asks through one API server, so that another one that hangs does not matter. */
const askThrough = async <T>(api: ApiClient, path: string): Promise<T> => {
  const { body } = expectOk(await api.ask('GET', path), `read ${path}`);
  return JSON.parse(body) as T;
};

interface Items<T> {
  readonly items: readonly T[];
}

interface KeySecret {
  readonly metadata: { readonly name: string };
}

/** Numbers of the key secrets, and the configuration that is to be deployed. */
const asked = async (api: ApiClient) => {
  const managed = '/api/v1/namespaces/openshift-config-managed/secrets';
  const { items } = await askThrough<Items<KeySecret>>(api, managed);
  const config = items.find(({ metadata }) => metadata.name.startsWith('encryption-config-')) as
    | { readonly data: Readonly<Record<string, string>> }
    | undefined;
  const keys = items.flatMap(({ metadata }) => /^encryption-key-.*-(\d+)$/.exec(metadata.name)?.[1] ?? []);
  return { keys: keys.map(Number).sort((one, other) => one - other), config: config?.data['encryption-config'] };
};

interface Seen {
  readonly converged: boolean;
  readonly apiServers: readonly { readonly node: string; readonly configHash?: string; readonly failure?: string }[];
}

/** What the operator saw last of the API servers, by its log. */
const observed = async (api: ApiClient): Promise<Seen> => {
  const pods = '/api/v1/namespaces/openshift-kube-apiserver-operator/pods';
  const { items } = await askThrough<Items<KeySecret>>(api, `${pods}?labelSelector=app%3Dkube-apiserver-operator`);
  const { body } = expectOk(await api.ask('GET', `${pods}/${items[0]?.metadata.name}/log`), "read the operator's log");
  const last = body.split('\n').findLast((line) => line.includes('"converged":'));
  if (last === undefined) throw new Error('the operator has seen nothing yet');
  return JSON.parse(last) as Seen;
};

/** An index of a node that the operator does not run on, so that it can tell that it waits. */
const bystander = async (): Promise<number> => {
  const pods = ['-n', 'openshift-kube-apiserver-operator', 'get', 'pods', '-l', 'app=kube-apiserver-operator'];
  const place = await up.kubectl(...pods, '-o', 'jsonpath={.items[0].spec.nodeName}');
  return nodes.findLastIndex((node) => node !== place);
};

interface Hindrance {
  readonly box: Box;
  readonly node: string;
  /** API servers of the other nodes. */
  readonly others: readonly ApiClient[];
}

const hindranceAt = async (index: number): Promise<Hindrance> => {
  const node = nodes[index] ?? '';
  return { node, box: await boxOf(home, stack, node), others: apiServers.filter((_, i) => i !== index) };
};

const pidOf = async (box: Box, ...words: readonly string[]): Promise<number> => {
  const pid = await box.pidWith(...words);
  if (pid === undefined) throw new Error(`nothing with ${words.join(' ')} runs in ${box.node}`);
  return pid;
};

const staysMs = 3_000;

/** While a node is behind, the operator knows, nothing is decided, and nothing is lost. */
const waits = async ({ others }: Hindrance, lags: (seen: Seen) => boolean): Promise<void> => {
  const [api] = others;
  if (api === undefined) throw new Error('no other node');
  await eventually('the operator that waits', async () => {
    const seen = await observed(api);
    if (!seen.converged && lags(seen)) return true;
    throw new Error(`it saw ${JSON.stringify(seen)}`);
  });
  const before = await asked(api);
  for (const end = performance.now() + staysMs; performance.now() < end; ) {
    for (const other of others) await write(other);
    expect(await asked(api)).toEqual(before);
    expect((await observed(api)).converged).toBe(false);
  }
  await readAll(others);
};

/** Whether the operator sees that the API server of a node does not answer. */
const isSilent =
  ({ node }: Hindrance) =>
  ({ apiServers: seen }: Seen): boolean =>
    seen.some((server) => server.node === node && server.failure !== undefined);

const endsWell = async (running: { readonly finished: Promise<Finished> }): Promise<void> => {
  const { code, stderr } = await running.finished;
  expect(code, stderr).toBe(0);
};

it('begins as plain text on all three nodes', isProven);

it('goes from identity to aescbc on all three nodes', async () => {
  expect(await up.json('encrypt', 'aescbc', stack)).toMatchObject({ type: 'aescbc', key: '1' });
  await isProven();
});

it('handed over one node after the other, so that two of three take connections at any time', async () => {
  const namespaced = ['-n', 'openshift-kube-apiserver'];
  const pods = await up.kubectl(...namespaced, 'get', 'pods', '-l', 'app=installer', '-o', 'name');
  const handovers: { from: string; to: string }[] = [];
  for (const pod of pods.split('\n').filter(Boolean)) {
    let from: string | undefined;
    for (const line of (await up.kubectl(...namespaced, 'logs', pod)).split('\n').filter(Boolean)) {
      const { time, msg }: { time: string; msg: string } = JSON.parse(line);
      if (msg === 'handing over') from = time;
      if (msg === 'another kube-apiserver has taken over' && from !== undefined) handovers.push({ from, to: time });
    }
  }
  handovers.sort((one, other) => one.from.localeCompare(other.from));
  expect(handovers.length).toBeGreaterThanOrEqual(nodes.length);
  for (const [i, { from }] of handovers.entries()) {
    expect(from >= (handovers[i - 1]?.to ?? '')).toBe(true);
  }
});

it('goes to KMS, but not before an API server that was stopped goes on', async () => {
  const hindrance = await hindranceAt(await bystander());
  const pid = await pidOf(hindrance.box, 'kube-apiserver');
  process.kill(pid, 'SIGSTOP');
  try {
    const patch = { spec: { encryption: { type: 'KMS' } } };
    // An API server that has just started refuses a patch without a KMS block for up to 5 s.
    await eventually('the patch accepted', async () => {
      const response = await hindrance.others[0]?.ask('PATCH', apiServerPath, patch, 'application/merge-patch+json');
      return response && expectOk(response, 'patch to KMS');
    });
    await waits(hindrance, isSilent(hindrance));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect(await up.json('encrypt', 'KMS', stack)).toMatchObject({ changed: false, key: '2' });
  await isProven();
});

it('rotates to the same new key_id on all three nodes', async () => {
  const { key, newKekID } = await up.json('rotate', stack);
  await eventually('the new key_id in the reports of all nodes', async () => {
    const { plugins } = await up.json('status', stack);
    const told = new Map<string, string>(
      plugins.flatMap(({ node, keyID, kekID }: Record<string, string>) => (keyID === key ? [[node, kekID]] : [])),
    );
    expect(told).toEqual(new Map(nodes.map((node) => [node, newKekID])));
    return true;
  });
  await isProven();
  const { secrets: stored } = (await up.json('verify', stack)).resources;
  expect(stored.byKekID).toEqual({ [newKekID]: stored.checked });
});

it('goes to another KMS, but not before the installer of a node that has the old file goes on', async () => {
  const hindrance = await hindranceAt(await bystander());
  const pid = await pidOf(hindrance.box, '/app/main.mjs', 'installer');
  process.kill(pid, 'SIGSTOP');
  try {
    const migrating = home.start('migrate-provider', stack);
    await migrating.says(/key 3 \(KMS\) created/);
    // The others have the new file.
    await waits(hindrance, ({ apiServers: seen }) => {
      const old = seen.find(({ node }) => node === hindrance.node)?.configHash;
      return seen.length === 3 && seen.filter(({ configHash }) => configHash === old).length === 1;
    });
    process.kill(pid, 'SIGCONT');
    await endsWell(migrating);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  // The key before the last is being dropped: while a node hands over, new connections to it wait, on a slow machine for long.
  await eventually('key 3 in status', async () => {
    expect(await up.json('status', stack)).toMatchObject({
      encryption: { writeKey: '3' },
      degraded: { status: 'False' },
    });
    return true;
  });
  await isProven();
});

it('goes to identity, but not before a node that died on the way is up again', async () => {
  const hindrance = await hindranceAt(await bystander());
  // So that it dies with the old file for certain.
  process.kill(await pidOf(hindrance.box, '/app/main.mjs', 'installer'), 'SIGSTOP');
  const encrypting = home.start('encrypt', 'identity', stack);
  await encrypting.says(/key 4 \(identity\) created/);
  for (const pid of await hindrance.box.processes()) await tryExec('kill', ['-KILL', String(pid)]);
  await waits(hindrance, isSilent(hindrance));
  const { code, stdout } = await home.run('status', stack);
  expect(code).toBe(1);
  expect(stdout).toContain(`box ${hindrance.node} does not run: 'understudy up ${stack}' starts it`);
  expect(await up.json('up', stack)).toMatchObject({ healed: true, changes: 0, encryption: 'identity' });
  await endsWell(encrypting);
  await isProven();
});
