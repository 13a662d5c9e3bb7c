import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exec, tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { endHome, entry, type Home, makeHome, pinnedNode } from './support/home.ts';
import { makeKindHome, whyNoEngine } from './support/kind.ts';
import { type Checkout, makeCheckout, whyNoOfficialPulumi } from './support/officialPulumi.ts';

const minute = 60_000;

interface StackExport {
  readonly deployment: { readonly resources: readonly { readonly type: string; readonly urn: string }[] };
}

/** Where a stack is made: a home, and how a command gets to its cluster. */
interface Place {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly enter: readonly string[];
  writeStack(): Promise<void>;
  /** Things of the stack that are left. */
  left(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

const clustersOf = (home: Home): Promise<readonly string[]> => readdir(join(home.dir, 'clusters')).catch(() => []);

const localPlace = async (): Promise<Place> => {
  const home = await makeHome();
  return {
    home,
    env: home.env,
    enter: [],
    writeStack: () => home.writeStack('local'),
    left: () => clustersOf(home),
    remove: () => endHome(home),
  };
};

const kindPlace = async (): Promise<Place> => {
  const kind = await makeKindHome('docker');
  await kind.container('load', '--input', kind.image.archive);
  const { home, engine } = kind;
  return {
    home,
    env: { ...home.env, ...engine.env },
    enter: engine.enter,
    writeStack: () => kind.writeStack('kind'),
    left: async () => [
      ...(await clustersOf(home)),
      ...(await kind.container('ps', '--all', '--format', '{{.Names}}')).split('\n').filter(Boolean),
    ],
    remove: () => kind.remove(),
  };
};

const places = [
  { platform: 'local', make: localPlace, lacking: whyNoOfficialPulumi },
  { platform: 'kind', make: kindPlace, lacking: whyNoOfficialPulumi ?? (await whyNoEngine()) },
];

for (const { platform, make, lacking } of places) {
  describe.skipIf(lacking !== undefined)(
    `stack ${platform} by an installed Pulumi${lacking ? ` (skipped: ${lacking})` : ''}`,
    () => {
      let place: Place;
      let checkout: Checkout;

      beforeAll(async () => {
        place = await make();
        checkout = await makeCheckout(place.home, place.env, place.enter);
        await place.writeStack();
      }, 15 * minute);

      afterAll(async () => {
        await place?.remove();
        await checkout?.remove();
      }, 2 * minute);

      const pulumi = (...args: readonly string[]): Promise<string> => checkout.well(...args, '--stack', platform);

      const unchanged = (): Promise<string> => pulumi('preview', '--expect-no-changes');

      /** The command line, with the stand-ins for the providers, on the same state. */
      const understudy = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
        const [program = '', ...rest] = [...place.enter, pinnedNode, entry, ...args, platform, '--json'];
        const { code, stdout, stderr } = await tryExec(program, rest, { env: checkout.withStandIns });
        if (code !== 0) throw new Error(`'understudy ${args.join(' ')}' ended with ${code}:\n${stderr}${stdout}`);
        return JSON.parse(stdout);
      };

      it(
        'comes up with no step before, and a preview, a refresh and another preview find nothing to change',
        async () => {
          await checkout.well('stack', 'init', platform);
          await pulumi('preview');
          await pulumi('up', '--yes', '--skip-preview');
          await unchanged();
          await pulumi('refresh', '--yes', '--skip-preview');
          await unchanged();
        },
        15 * minute,
      );

      it('gives its kubeconfig as an output, as a secret only', async () => {
        expect(await pulumi('stack', 'output', 'kubeconfig')).toBe('[secret]');
        const kubeconfig = await pulumi('stack', 'output', 'kubeconfig', '--show-secrets');
        expect(parse(kubeconfig)).toMatchObject({ kind: 'Config' });
        expect(await pulumi('stack', 'export')).not.toContain('client-key-data');
      });

      it(
        'is taken over by the command line with the stand-ins, which changes nothing, finds it encrypted, and gives it back changed',
        async () => {
          expect(await understudy('up')).toMatchObject({ changes: 0, encryption: 'KMS' });
          expect(await understudy('verify')).toMatchObject({ roundTrip: true });
          await unchanged();
          await pulumi('config', 'set', 'understudy:healthInterval', '20s');
          const { changes } = await understudy('up');
          expect(changes).toBeGreaterThan(0);
          await unchanged();
        },
        10 * minute,
      );

      it(
        'takes an object of the cluster into its state by import',
        async () => {
          const { kubectl } = await ensurePrograms(['kubectl'], silentProgress);
          const kubeconfig = await pulumi('stack', 'output', 'kubeconfig', '--show-secrets');
          const path = join(checkout.dir, 'kubeconfig');
          await writeFile(path, kubeconfig, { mode: 0o600 });
          const [program = '', ...enter] = [...place.enter, kubectl, '--kubeconfig', path];
          await exec(program, [...enter, 'create', 'configmap', 'theirs', '--from-literal=a=b', '--namespace=default']);
          const state: StackExport = JSON.parse(await pulumi('stack', 'export'));
          const provider = state.deployment.resources.find(({ type }) => type === 'pulumi:providers:kubernetes');
          const what = [
            'kubernetes:core/v1:ConfigMap',
            'theirs',
            'default/theirs',
            `--provider=cluster=${provider?.urn}`,
          ];
          await pulumi('import', ...what, '--yes', '--protect=false', '--generate-code=false');
          expect(await pulumi('stack', '--show-urns')).toContain('ConfigMap::theirs');
          // The program does not have it, so it goes.
          await pulumi('up', '--yes', '--skip-preview');
          await unchanged();
        },
        5 * minute,
      );

      it(
        'goes with everything that it made',
        async () => {
          await pulumi('destroy', '--yes', '--skip-preview');
          expect(await place.left()).toEqual([]);
          await pulumi('destroy', '--yes', '--skip-preview');
        },
        5 * minute,
      );

      it(
        'is taken over from the stand-ins, which made it, with nothing to change, and destroyed',
        async () => {
          expect(await understudy('up')).toMatchObject({ encryption: 'KMS' });
          await unchanged();
          await pulumi('refresh', '--yes', '--skip-preview');
          await unchanged();
          await pulumi('destroy', '--yes', '--skip-preview');
          expect(await place.left()).toEqual([]);
          await checkout.well('stack', 'rm', platform, '--yes');
        },
        15 * minute,
      );
    },
  );
}
