import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { createKubernetesProvider } from '../../providers/kubernetes/provider.ts';
import { PartialFailure, type ResourceProvider, type ResourceState } from '../../providers/protocol/provider.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';

/** What the engine says of a resource named `it` in each call about it. */
export interface ResourceNames {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

/** @param token the type token without its package: `core/v1:ConfigMap` */
export const resource = (token: string): ResourceNames => ({
  urn: `urn:pulumi:s::p::kubernetes:${token}::it`,
  type: `kubernetes:${token}`,
  name: 'it',
});

/** A state as later calls hand it to the provider. */
export const stateOf = (state: ResourceState) => ({
  id: state.id,
  oldInputs: state.inputs,
  oldOutputs: state.outputs,
});

export const failureOf = async (work: Promise<unknown>): Promise<Error> => {
  const [result] = await Promise.allSettled([work]);
  if (result.status === 'rejected' && result.reason instanceof Error) return result.reason;
  throw new Error('it did not fail');
};

export const partialFailureOf = async (work: Promise<unknown>): Promise<PartialFailure> => {
  const failure = await failureOf(work);
  if (failure instanceof PartialFailure) return failure;
  throw failure;
};

/** The kubernetes provider without an engine, on a real API server; a namespace of its own for each test. */
export interface ProviderDriver {
  readonly server: ApiServer;
  readonly api: KubeApi;
  readonly provider: ResourceProvider;
  readonly namespace: string;
  /** What the provider told the engine: `[urn, message]`. */
  readonly log: { readonly status: ReturnType<typeof vi.fn>; readonly warning: ReturnType<typeof vi.fn> };
  /** Goes on with other settings than those of the test's own cluster. */
  configure(settings: PropertyMap): Promise<void>;
  /** Path of an object, or of all of them with an empty name, in the test's namespace. */
  pathTo(plural: string, name: string, group?: string): string;
  create(
    token: string,
    inputs: PropertyMap,
    options?: { readonly preview?: boolean; readonly timeoutSeconds?: number },
  ): Promise<ResourceState>;
  update(
    token: string,
    state: ResourceState,
    inputs: PropertyMap,
    ignoreChanges?: readonly string[],
  ): Promise<ResourceState>;
  remove(token: string, state: ResourceState, timeoutSeconds?: number): Promise<void>;
}

/**
 * Registers what starts and ends it with vitest; what it returns is filled in when a test runs.
 * @param controllers of kube-controller-manager, beside the garbage collector
 */
export const driveProvider = (controllers: readonly string[] = []): ProviderDriver => {
  let server: ApiServer;
  let api: KubeApi;
  let provider: ResourceProvider;
  let namespace = '';
  let count = 0;
  const log = { status: vi.fn(), warning: vi.fn(), flushed: () => Promise.resolve() };

  const configure = async (settings: PropertyMap): Promise<void> => {
    provider?.cancel();
    provider = createKubernetesProvider(log);
    await provider.configure(settings);
  };

  const check = async (token: string, inputs: PropertyMap, oldInputs?: PropertyMap): Promise<PropertyMap> => {
    const call = { ...resource(token), oldInputs, inputs, randomSeed: Uint8Array.of(1), autonaming: undefined };
    const result = await provider.check(call);
    expect(result.failures).toEqual([]);
    return result.inputs;
  };

  beforeAll(async () => {
    server = await startApiServer({ controllers: ['garbage-collector-controller', ...controllers] });
    api = await connectKubeApi(server.kubeconfig);
  });

  beforeEach(async () => {
    count += 1;
    namespace = `ns-${count}`;
    await api.create('/api/v1/namespaces', { metadata: { name: namespace } });
    await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
    await configure({ kubeconfig: server.kubeconfig, namespace });
    vi.clearAllMocks();
  });

  afterEach(() => provider.cancel());

  afterAll(async () => {
    api?.close();
    await server?.stop();
  });

  return {
    get server() {
      return server;
    },
    get api() {
      return api;
    },
    get provider() {
      return provider;
    },
    get namespace() {
      return namespace;
    },
    log,
    configure,
    pathTo: (plural, name, group = '/api/v1') => `${group}/namespaces/${namespace}/${plural}/${name}`,
    create: async (token, inputs, { preview = false, timeoutSeconds = 30 } = {}) => {
      const checked = await check(token, inputs);
      const result = await provider.create({ ...resource(token), inputs: checked, timeoutSeconds, preview });
      return { ...result, inputs: checked };
    },
    update: async (token, state, inputs, ignoreChanges = []) => {
      const checked = await check(token, inputs, state.inputs);
      const call = { ...resource(token), ...stateOf(state), inputs: checked, ignoreChanges, timeoutSeconds: 30 };
      return { id: state.id, inputs: checked, outputs: await provider.update({ ...call, preview: false }) };
    },
    remove: (token, state, timeoutSeconds = 30) =>
      provider.delete({ ...resource(token), ...stateOf(state), timeoutSeconds }),
  };
};

export const configMap = 'core/v1:ConfigMap';
export const deployment = 'apps/v1:Deployment';
export const apps = '/apis/apps/v1';

export const named = (name: string, more: PropertyMap = {}): PropertyMap => ({ metadata: { name, ...more } });

export const labels = { app: 'a' };
export const podSpec = { containers: [{ name: 'c', image: 'none', resources: { limits: { cpu: '1000m' } } }] };

/** Inputs of a Deployment. */
export const workload = (name: string, more: PropertyMap = {}, metadata: PropertyMap = {}): PropertyMap => ({
  ...named(name, metadata),
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec }, ...more },
});

export const skipAwait = { annotations: { 'pulumi.com/skipAwait': 'true' } };
