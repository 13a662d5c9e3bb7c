import type { KubeClient } from '../../common/kubeClient.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import {
  bindingOf,
  mutatingPolicies,
  validatingBindingOf,
  validatingPolicies,
} from '../../infra/placement/policies.ts';
import { type AdmissionBench, createNamespace, startAdmissionBench } from '../../test/integration/admissionRun.ts';
import { median, percentile, rounded } from '../statistics.ts';
import { sendStubbornly } from './cluster.ts';

export interface AdmissionCounts {
  /** Pods one after the other, and 16 at a time, in each round of each setting. */
  readonly pods: number;
  readonly rounds: number;
}

export const admissionCounts: AdmissionCounts = { pods: 500, rounds: 3 };

const parallel = 16;
const registration = '/apis/admissionregistration.k8s.io/v1';
const configuration = `${registration}/mutatingwebhookconfigurations/admission-webhook`;
const namespace = 'bench';
const pods = `/api/v1/namespaces/${namespace}/pods`;

interface Pod {
  readonly spec: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly securityContext?: { readonly runAsUser?: number };
  };
}

/** Admits a pod as if it was created: nothing is written, and all of admission takes part. */
const admit = (client: KubeClient): Promise<Pod> =>
  client.send<Pod>({
    method: 'POST',
    path: pods,
    query: { dryRun: 'All' },
    body: {
      metadata: { name: 'web-5d8f7c9b6-x7k2p' },
      // The webhook is not asked about UIDs of pods that may be root.
      spec: { securityContext: { runAsNonRoot: true }, containers: [{ name: 'main', image: 'example.org/image' }] },
    },
  });

interface Policy {
  readonly metadata: { readonly name: string };
}

const setPolicies = async (client: KubeClient, areThere: boolean): Promise<void> => {
  const set = async (collection: string, objects: readonly Policy[]): Promise<void> => {
    for (const body of objects) {
      const path = `${registration}/${collection}`;
      await (areThere
        ? client.send({ method: 'POST', path, body })
        : client.send({ method: 'DELETE', path: `${path}/${body.metadata.name}` }));
    }
  };
  const validating = validatingPolicies(['bench'], true);
  await set('mutatingadmissionpolicies', mutatingPolicies);
  await set('mutatingadmissionpolicybindings', mutatingPolicies.map(bindingOf));
  await set('validatingadmissionpolicies', validating);
  await set('validatingadmissionpolicybindings', validating.map(validatingBindingOf));
};

const removeWebhook = (client: KubeClient): Promise<void> =>
  sendStubbornly(client, { method: 'DELETE', path: configuration }, 404);

/** What takes part in the creation of a pod. */
interface Setting {
  begin(bench: AdmissionBench): Promise<unknown>;
  end(bench: AdmissionBench): Promise<unknown>;
  readonly places: boolean;
  readonly givesUids: boolean;
}

const settings: Readonly<Record<string, Setting>> = {
  none: { begin: async () => {}, end: async () => {}, places: false, givesUids: false },
  policy: {
    begin: ({ client }) => setPolicies(client, true),
    end: ({ client }) => setPolicies(client, false),
    places: true,
    givesUids: false,
  },
  webhook: {
    begin: (bench) => bench.configure({ uids: 'off', placement: true }),
    end: ({ client }) => removeWebhook(client),
    places: true,
    givesUids: false,
  },
  uids: {
    begin: (bench) => bench.configure({ uids: 'openshift', placement: false }),
    end: ({ client }) => removeWebhook(client),
    places: false,
    givesUids: true,
  },
};

/** The API server learns of policies and webhooks by watches. */
const untilInForce = (client: KubeClient, { places, givesUids }: Setting): Promise<true> =>
  waitFor(
    async () => {
      const { spec } = await admit(client);
      const isPlaced = spec.nodeSelector !== undefined;
      return (isPlaced === places && (spec.securityContext?.runAsUser !== undefined) === givesUids) || undefined;
    },
    { what: 'what pods are given', timeoutMs: 60_000, intervalMs: 100, next: 'run the integration tests of admission' },
  );

/** Milliseconds of each. */
const admitAll = async (client: KubeClient, count: number, atATime: number): Promise<readonly number[]> => {
  const took: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < count) {
      const begin = performance.now();
      await admit(client);
      took.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return took;
};

interface Round {
  readonly alone: readonly number[];
  readonly together: readonly number[];
}

const figuresOf = (rounds: readonly Round[]) => {
  const at = (which: keyof Round, share: number): number =>
    rounded(median(rounds.map((round) => percentile(round[which], share))));
  return {
    p50: at('alone', 0.5),
    p99: at('alone', 0.99),
    [`p50With${parallel}AtATime`]: at('together', 0.5),
    [`p99With${parallel}AtATime`]: at('together', 0.99),
  };
};

/**
 * Milliseconds that the creation of a pod takes: with nothing of ours, with the placement policies, with the webhook that does the same, and
 * with the webhook that gives UIDs. An API server of its own, the settings in turns; medians of the rounds.
 */
export const measureAdmission = async (
  progress: Progress,
  { pods: count, rounds }: AdmissionCounts = admissionCounts,
): Promise<Readonly<Record<string, unknown>>> => {
  const bench = await startAdmissionBench();
  const { client } = bench;
  const found = new Map<string, Round[]>(Object.keys(settings).map((name) => [name, []]));
  try {
    await createNamespace(client, namespace, { spoofed: 'true', spoofed_excluded_pods: '^database-,^ingress-' });
    bench.run('--uids=openshift', '--placement', '--log-level=error');
    for (let round = 0; round < rounds; round++) {
      for (const [name, setting] of Object.entries(settings)) {
        await progress.phase(`admission, ${name}, round ${round + 1} of ${rounds}`, async () => {
          await setting.begin(bench);
          await untilInForce(client, setting);
          // Compiled and connected by now.
          await admitAll(client, parallel, parallel);
          const alone = await admitAll(client, count, 1);
          found.get(name)?.push({ alone, together: await admitAll(client, count, parallel) });
          await setting.end(bench);
        });
      }
    }
  } finally {
    await bench.stop();
  }
  const figures = [...found].map(([name, all]) => [name, figuresOf(all)] as const);
  for (const [name, { p50, p99 }] of figures) {
    progress.note(`admission, ${name.padEnd(8)} p50 ${p50} ms, p99 ${p99} ms`);
  }
  return Object.fromEntries(figures);
};
