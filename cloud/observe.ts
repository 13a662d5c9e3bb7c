import { z } from 'zod';
import { stackLabel } from '../common/stackLabel.ts';
import { isNotFound, type KubeClient } from '../providers/kubernetes/client.ts';
import type { Access, CloudObservation } from './observation.ts';

const named = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);

const gateList = z.array(z.object({ name: z.string() })).default([]);

const shapes = {
  version: z.object({ gitVersion: z.string() }),
  clusterVersion: z.object({
    spec: z.object({ clusterID: z.string().default('') }).prefault({}),
    status: z.object({ desired: z.object({ version: z.string().default('') }).prefault({}) }).prefault({}),
  }),
  infrastructure: z.object({
    status: z.object({ platformStatus: z.object({ type: z.string().optional() }).prefault({}) }).prefault({}),
  }),
  featureGate: z.object({
    spec: z.object({ featureSet: z.string().default('') }).prefault({}),
    status: z
      .object({ featureGates: z.array(z.object({ version: z.string(), enabled: gateList })).default([]) })
      .prefault({}),
  }),
  nodes: z.object({ items: z.array(z.unknown()).default([]) }),
  apiServer: z.object({
    spec: z
      .object({
        encryption: z
          .object({
            type: z.string().default(''),
            kms: z.object({ vault: z.object({ kmsPluginImage: z.string().optional() }).optional() }).optional(),
          })
          .prefault({}),
      })
      .prefault({}),
  }),
  namespace: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }) }),
  pullSecret: z.object({ data: z.object({ '.dockerconfigjson': z.string().default('') }).prefault({}) }),
  review: z.object({ status: z.object({ allowed: z.boolean().default(false) }).prefault({}) }),
} as const;

const dockerConfig = z.object({ auths: z.record(z.string(), z.unknown()).default({}) });

/** Its registries; undefined where its content is not for our eyes, or none. */
const registriesIn = (content: string): readonly string[] | undefined => {
  try {
    return Object.keys(dockerConfig.parse(JSON.parse(Buffer.from(content, 'base64').toString())).auths);
  } catch {
    return undefined;
  }
};

const masters = 'node-role.kubernetes.io/master';

const config = (path: string): string => `/apis/config.openshift.io/v1/${path}`;

interface Reader {
  get<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T>>;
  /** Undefined where it, or its kind, is not there. */
  find<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T> | undefined>;
}

const readerOf = (client: KubeClient, signal: AbortSignal): Reader => {
  const get: Reader['get'] = async (path, shape) =>
    shape.parse((await client.send({ method: 'GET', path, signal })).body);
  return {
    get,
    find: (path, shape) =>
      get(path, shape).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
  };
};

/** Which OpenShift a cluster is; undefined where it is none. @throws as {@link observeCloud} */
export const readOpenShift = async (
  client: KubeClient,
  signal: AbortSignal,
): Promise<CloudObservation['openShift']> => {
  const found = await readerOf(client, signal).find(config('clusterversions/version'), shapes.clusterVersion);
  return found && { version: found.status.desired.version, clusterID: found.spec.clusterID };
};

/**
 * Reads what {@link CloudObservation} has, and changes nothing.
 * @param accesses those to ask for
 * @throws ApiError; Unreachable where the API server does not answer in time
 */
export const observeCloud = async (
  client: KubeClient,
  accesses: readonly Access[],
  signal: AbortSignal,
): Promise<CloudObservation> => {
  const { get, find } = readerOf(client, signal);
  const isDenied = async ({ verb, group, resource, namespace, name }: Access): Promise<boolean> => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const resourceAttributes = { verb, group, resource, namespace, name };
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    const answer = await client.send({ method: 'POST', path, body, signal });
    return !shapes.review.parse(answer.body).status.allowed;
  };
  const kubernetes = (await get('/version', shapes.version)).gitVersion;
  const openShift = await readOpenShift(client, signal);
  const [infrastructure, featureGate, nodes, apiServer, namespace, pullSecret, denied] = await Promise.all([
    find(config('infrastructures/cluster'), shapes.infrastructure),
    find(config('featuregates/cluster'), shapes.featureGate),
    // Whoever may not is told so by the review.
    get(`/api/v1/nodes?labelSelector=${encodeURIComponent(masters)}`, shapes.nodes).catch(() => ({
      items: [undefined],
    })),
    find(config('apiservers/cluster'), shapes.apiServer),
    find('/api/v1/namespaces/openshift-kms-plugin', shapes.namespace),
    get('/api/v1/namespaces/openshift-config/secrets/pull-secret', shapes.pullSecret).catch(() => undefined),
    Promise.all(accesses.map(async (access) => ((await isDenied(access)) ? [access] : []))),
  ]);
  const gates = featureGate?.status.featureGates.find(({ version }) => version === openShift?.version);
  const encryption = apiServer?.spec.encryption;
  return {
    kubernetes,
    openShift,
    platform: infrastructure?.status.platformStatus.type,
    features: { set: featureGate?.spec.featureSet ?? '', enabled: named(gates?.enabled ?? []) },
    controlPlanes: nodes.items.length,
    encryption: encryption && { type: encryption.type, kmsPluginImage: encryption.kms?.vault?.kmsPluginImage },
    namespaceOf: namespace && (namespace.metadata.labels[stackLabel] ?? ''),
    pullSecret: pullSecret && registriesIn(pullSecret.data['.dockerconfigjson']),
    denied: denied.flat(),
  };
};
