import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { Failure, messageOf } from '../common/failure.ts';

/** What of a kubeconfig counts here: where, and who. */
export interface ApiAccess {
  /** `https://<host>:<port>` */
  readonly server: string;
  readonly credentials: RequestOptions;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textIn = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const invalid = (path: string, got: string): Failure =>
  new Failure({
    tried: `use the kubeconfig ${path}`,
    got,
    next: 'give one with a server, an authority and a token or certificate',
  });

const named = (config: Fields, list: string, name: string | undefined): unknown => {
  const entries = config[list];
  return Array.isArray(entries) ? entries.map(fieldsOf).find((entry) => entry.name === name) : undefined;
};

/** JSON is YAML too, and YAML's library takes 10 MB: it is loaded only where it is needed. */
const parse = async (content: string): Promise<unknown> => {
  try {
    return JSON.parse(content);
  } catch {
    return (await import('yaml')).parse(content);
  }
};

/**
 * Reads it anew, with the files that it names: whoever renews a token writes it there.
 * `@kubernetes/client-node` would do so too, for 60 MB of memory on every control-plane node; credential plugins are left out.
 * @throws Failure
 */
export const readKubeconfig = async (path: string): Promise<ApiAccess> => {
  const config = fieldsOf(
    await readFile(path, 'utf8')
      .then(parse)
      .catch((error: unknown) => {
        throw invalid(path, messageOf(error));
      }),
  );
  const { context } = fieldsOf(named(config, 'contexts', textIn(config, 'current-context')));
  const { cluster } = fieldsOf(named(config, 'clusters', textIn(fieldsOf(context), 'cluster')));
  const { user } = fieldsOf(named(config, 'users', textIn(fieldsOf(context), 'user')));
  const [at, who] = [fieldsOf(cluster), fieldsOf(user)];
  const server = textIn(at, 'server') ?? '';
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') {
    throw invalid(path, `its current context has the server '${server}', which is no https address`);
  }
  if (who.exec !== undefined) throw invalid(path, 'its user has a credential plugin, which is not supported here');
  const fileOf = (name: string) => readFile(resolve(dirname(path), name));
  const content = async (fields: Fields, name: string): Promise<Buffer | undefined> => {
    const data = textIn(fields, `${name}-data`);
    if (data !== undefined) return Buffer.from(data, 'base64');
    const file = textIn(fields, name);
    return file === undefined ? undefined : fileOf(file);
  };
  const tokenFile = textIn(who, 'tokenFile');
  const token = tokenFile === undefined ? textIn(who, 'token') : String(await fileOf(tokenFile)).trim();
  const [ca, cert, key] = await Promise.all([
    content(at, 'certificate-authority'),
    content(who, 'client-certificate'),
    content(who, 'client-key'),
  ]);
  const servername = textIn(at, 'tls-server-name');
  return {
    server,
    credentials: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(servername && { servername }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
  };
};

const accountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** That of the pod's service account. @throws where there is none */
export const readAccount = async (): Promise<ApiAccess> => {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = process.env;
  const [ca, token] = await Promise.all([readFile(`${accountDir}/ca.crt`), readFile(`${accountDir}/token`, 'utf8')]);
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { server, credentials: { ca, headers: { authorization: `Bearer ${token.trim()}` } } };
};
