import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { Failure, hasCode, messageOf } from '../../common/failure.ts';
import { isMap, type PropertyMap } from '../protocol/values.ts';
import { at, listAt, mapAt, stringAt, withAt } from './objects.ts';

/** How to reach an API server, and as whom. */
export interface KubeConnection {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** TLS settings and headers for each request; renewed where a credential plugin issues them. */
  credentials(): Promise<RequestOptions>;
}

/** What the provider's settings say over the kubeconfig. */
export interface KubeconfigOverrides {
  readonly context?: string;
  readonly cluster?: string;
  readonly namespace?: string;
}

const next = "check the provider's 'kubeconfig' and 'context' settings, or KUBECONFIG";

const invalid = (got: string, cause?: unknown): Failure =>
  new Failure({ tried: 'use the kubeconfig', got, next, cause });

const expandHome = (path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;

/** Paths in a kubeconfig count from its own folder. */
const absolutePaths = (config: PropertyMap, folder: string): PropertyMap => {
  const entries = (list: string, key: string, fields: readonly string[]): PropertyMap[] =>
    listAt(config, list)
      .filter(isMap)
      .map((entry) =>
        fields.reduce((changed, field) => {
          const path = stringAt(changed, key, field);
          return path === undefined ? changed : withAt(changed, [key, field], resolve(folder, path));
        }, entry),
      );
  return {
    ...config,
    clusters: entries('clusters', 'cluster', ['certificate-authority']),
    users: entries('users', 'user', ['client-certificate', 'client-key', 'tokenFile']),
  };
};

const parseConfig = (content: string): PropertyMap => {
  let config: unknown;
  try {
    config = parse(content);
  } catch (error) {
    throw invalid(`it is not YAML: ${messageOf(error)}`, error);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw invalid('it is neither a file nor the content of one');
  }
  return config as PropertyMap;
};

const readConfig = (path: string): PropertyMap | undefined => {
  try {
    return absolutePaths(parseConfig(readFileSync(path, 'utf8')), dirname(resolve(path)));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENAMETOOLONG')) return undefined;
    throw error;
  }
};

/** As kubectl merges the files of KUBECONFIG: the first to name something wins. */
const merge = (first: PropertyMap, second: PropertyMap): PropertyMap => ({
  ...second,
  ...first,
  'current-context': first['current-context'] || second['current-context'] || '',
  ...Object.fromEntries(
    ['clusters', 'contexts', 'users'].map((list) => [list, [...listAt(first, list), ...listAt(second, list)]]),
  ),
});

/**
 * The kubeconfig that a setting means: a path, or the content itself; without a setting what kubectl would take.
 * @throws Failure where there is none, or it cannot be read.
 */
export const loadKubeconfig = (setting: string | undefined): PropertyMap => {
  if (setting !== undefined && setting !== '') {
    return readConfig(expandHome(setting)) ?? parseConfig(setting);
  }
  const paths = (process.env.KUBECONFIG ?? join(homedir(), '.kube', 'config'))
    .split(delimiter)
    .filter((path) => path !== '');
  const configs = paths.map(readConfig).filter((config) => config !== undefined);
  if (configs.length === 0) throw invalid(`there is none at ${paths.join(', ')}`);
  return configs.reduce(merge);
};

const named = (config: PropertyMap, list: string, name: string, key: string): PropertyMap | undefined => {
  const entry = listAt(config, list).find((candidate) => stringAt(candidate, 'name') === name);
  return entry === undefined ? undefined : mapAt(entry, key);
};

const contextOf = (config: PropertyMap, overrides: KubeconfigOverrides): { name: string; context: PropertyMap } => {
  const name = overrides.context || stringAt(config, 'current-context') || '';
  const context = named(config, 'contexts', name, 'context');
  if (context === undefined) throw invalid(name === '' ? 'it has no current context' : `it has no context '${name}'`);
  return { name, context };
};

/** The cluster entry that the settings select; two settings mean the same cluster where it is equal. */
export const activeCluster = (config: PropertyMap, overrides: KubeconfigOverrides): PropertyMap => {
  const { context } = contextOf(config, overrides);
  const name = overrides.cluster || stringAt(context, 'cluster') || '';
  const cluster = named(config, 'clusters', name, 'cluster');
  if (cluster === undefined) throw invalid(`it has no cluster '${name}'`);
  return cluster;
};

const dataOrFile = (map: PropertyMap, field: string): Buffer | undefined => {
  const data = stringAt(map, `${field}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64');
  const path = stringAt(map, field);
  return path === undefined ? undefined : readFileSync(path);
};

const staticCredentials = (cluster: PropertyMap, user: PropertyMap): RequestOptions => {
  const tokenFile = stringAt(user, 'tokenFile');
  const token = tokenFile === undefined ? stringAt(user, 'token') : readFileSync(tokenFile, 'utf8').trim();
  const name = stringAt(user, 'username');
  const basic =
    name === undefined ? undefined : Buffer.from(`${name}:${stringAt(user, 'password') ?? ''}`).toString('base64');
  const authorization = token === undefined ? basic && `Basic ${basic}` : `Bearer ${token}`;
  return {
    ca: dataOrFile(cluster, 'certificate-authority'),
    cert: dataOrFile(user, 'client-certificate'),
    key: dataOrFile(user, 'client-key'),
    rejectUnauthorized: at(cluster, 'insecure-skip-tls-verify') !== true,
    servername: stringAt(cluster, 'tls-server-name'),
    headers: authorization === undefined ? {} : { authorization },
  };
};

/** Credential plugins (`exec`, as clouds use them) are left to the Kubernetes client, which is slow to load. */
const pluginCredentials = async (config: PropertyMap, context: string): Promise<() => Promise<RequestOptions>> => {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const client = new KubeConfig();
  client.loadFromString(JSON.stringify(config));
  client.setCurrentContext(context);
  return async () => {
    const options: RequestOptions = {};
    await client.applyToHTTPSOptions(options);
    return options;
  };
};

/** @throws Failure where the kubeconfig lacks what it refers to. */
export const connectionFrom = async (config: PropertyMap, overrides: KubeconfigOverrides): Promise<KubeConnection> => {
  const { name, context } = contextOf(config, overrides);
  const cluster = activeCluster(config, overrides);
  const server = stringAt(cluster, 'server');
  if (server === undefined || !URL.canParse(server)) throw invalid(`'${server ?? ''}' is no server address`);
  if (new URL(server).protocol !== 'https:') throw invalid(`the server ${server} is not https`);
  if (stringAt(cluster, 'proxy-url') !== undefined) throw invalid("'proxy-url' is not supported here");
  const user = named(config, 'users', stringAt(context, 'user') ?? '', 'user') ?? {};
  const needsPlugin = 'exec' in user || 'auth-provider' in user;
  const fixed = needsPlugin ? undefined : staticCredentials(cluster, user);
  return {
    server: server.replace(/\/+$/, ''),
    namespace: overrides.namespace || stringAt(context, 'namespace') || 'default',
    credentials: fixed === undefined ? await pluginCredentials(config, name) : () => Promise.resolve(fixed),
  };
};
