import { isDeepStrictEqual } from 'node:util';
import { waitFor } from '../../common/waitFor.ts';
import {
  bindingOf,
  mutatingPolicies,
  validatingBindingOf,
  validatingPolicies,
} from '../../infra/placement/policies.ts';
import { ApiError } from '../../providers/kubernetes/client.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';

interface MutatingPolicy {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PropertyMap;
}

/** An API server whose pods are placed by the policies alone. */
export interface PlacementCluster {
  readonly kube: KubeApi;
  /** Creates a namespace with these annotations, as if it was there before the policies. */
  namespace(annotations: Readonly<Record<string, string>>): Promise<string>;
  /** Puts the policies into force, and resolves when the API server has read them. */
  enforce(): Promise<void>;
  /** Puts another policy into force everywhere, sooner or later. */
  addPolicy(policy: MutatingPolicy): Promise<void>;
  stop(): Promise<void>;
}

const registration = '/apis/admissionregistration.k8s.io/v1';

/** Tells what a request would do, without doing it. */
export const dryRun = (path: string): string => `${path}?dryRun=All`;

export const podsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
export const daemonSetsOf = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/daemonsets`;

const containers = [{ name: 'main', image: 'example.org/image' }];

export const podOf = (metadata: PropertyMap, spec: object = {}): PropertyMap => ({
  metadata,
  spec: { containers, ...spec },
});

export const daemonSetOf = (metadata: PropertyMap, spec: object = {}): PropertyMap => {
  const labels = { app: 'test' };
  return {
    metadata,
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers, ...spec } } },
  };
};

/** What placement decides of a pod's spec. */
export const placementOf = (spec: unknown): object => {
  const { nodeSelector, tolerations, affinity } = Object(spec);
  return JSON.parse(JSON.stringify({ nodeSelector, tolerations, affinity })) as object;
};

/** The API server's reason to refuse; undefined where it does not. */
export const refusalOf = async (request: Promise<unknown>): Promise<string | undefined> => {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
};

const addTo = async (kube: KubeApi, policy: MutatingPolicy): Promise<void> => {
  await kube.create(`${registration}/mutatingadmissionpolicies`, { ...policy });
  await kube.create(`${registration}/mutatingadmissionpolicybindings`, bindingOf(policy));
};

const enforceOn = async (kube: KubeApi): Promise<void> => {
  for (const policy of mutatingPolicies) await addTo(kube, policy);
  for (const policy of validatingPolicies(['small', 'big'], true)) {
    await kube.create(`${registration}/validatingadmissionpolicies`, policy);
    await kube.create(`${registration}/validatingadmissionpolicybindings`, validatingBindingOf(policy));
  }
  const isPlaced = async (path: string, object: PropertyMap, at: (made: PropertyMap) => unknown): Promise<boolean> =>
    !isDeepStrictEqual(placementOf(at(await kube.create(dryRun(path), object))), {});
  const isRefused = async (path: string, object: PropertyMap): Promise<boolean> =>
    (await refusalOf(kube.create(dryRun(path), object)))?.includes('denied request') ?? false;
  const target = { kind: 'Node', name: 'hollow-big-0' };
  const probes: Record<string, () => Promise<boolean>> = {
    pods: () => isPlaced(podsOf('default'), podOf({ name: 'probe' }), ({ spec }) => spec),
    daemonSets: () =>
      isPlaced(daemonSetsOf('default'), daemonSetOf({ name: 'probe' }), ({ spec }) => Object(spec).template.spec),
    annotations: () =>
      isRefused('/api/v1/namespaces', { metadata: { name: 'probe', annotations: { spoofed: 'perhaps' } } }),
    nodeName: () => isRefused(podsOf('default'), podOf({ name: 'probe' }, { nodeName: 'hollow-big-0' })),
    binding: () => isRefused('/api/v1/namespaces/default/bindings', { metadata: { name: 'probe' }, target }),
  };
  for (const [what, probe] of Object.entries(probes)) {
    await waitFor(async () => (await probe()) || undefined, {
      what: `the policy about ${what} in force`,
      timeoutMs: 60_000,
      intervalMs: 50,
      next: 'read the log of kube-apiserver',
    });
  }
};

export const startPlacementCluster = async (): Promise<PlacementCluster> => {
  const server: ApiServer = await startApiServer({
    // Pods without accounts, and with no tolerations but ours.
    flags: ['--disable-admission-plugins=ServiceAccount,DefaultTolerationSeconds'],
  });
  const kube = await connectKubeApi(server.kubeconfig);
  let count = 0;
  return {
    kube,
    namespace: async (annotations) => {
      count += 1;
      const name = `test-${count}`;
      await kube.create('/api/v1/namespaces', { metadata: { name, annotations } });
      return name;
    },
    enforce: () => enforceOn(kube),
    addPolicy: (policy) => addTo(kube, policy),
    stop: async () => {
      kube.close();
      await server.stop();
    },
  };
};
