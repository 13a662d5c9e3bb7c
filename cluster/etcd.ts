import type { ClusterAccess } from './access.ts';
import { type ApiClient, apiClient, expectOk } from './apiClient.ts';

/** A key of etcd with its raw value. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: Buffer;
}

interface RangeResponse {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
  readonly more?: boolean;
}

const pageSize = 500;
const clientPort = 2379;

const base64 = (bytes: Buffer): string => bytes.toString('base64');

/** The end of the range of all keys with a prefix: its last byte plus one. */
const rangeEnd = (prefix: string): Buffer => {
  const bytes = Buffer.from(prefix);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) + 1, bytes.length - 1);
  return bytes;
};

/** The first member of etcd that answers. */
export const connectEtcd = async ({ etcd }: Pick<ClusterAccess, 'etcd'>): Promise<ApiClient> => {
  let last: unknown;
  for (const host of etcd.hosts) {
    const client = apiClient(host, clientPort, etcd.authorityCertificate, etcd.client);
    try {
      await client.ask('GET', '/health');
      return client;
    } catch (error) {
      client.close();
      last = error;
    }
  }
  throw last;
};

/**
 * Reads etcd itself, past the API server: all entries whose key starts with `prefix`, in pages.
 * @see https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
 */
export const entriesOf = async function* (etcd: ApiClient, prefix: string): AsyncGenerator<EtcdEntry> {
  let from = Buffer.from(prefix);
  for (;;) {
    const query = { key: base64(from), range_end: base64(rangeEnd(prefix)), limit: String(pageSize) };
    const { body } = expectOk(await etcd.ask('POST', '/v3/kv/range', query), `read ${prefix} from etcd`);
    const page = JSON.parse(body) as RangeResponse;
    let last: Buffer | undefined;
    for (const { key, value } of page.kvs ?? []) {
      last = Buffer.from(key, 'base64');
      yield { key: last.toString(), value: Buffer.from(value ?? '', 'base64') };
    }
    if (page.more !== true || last === undefined) return;
    from = Buffer.concat([last, Buffer.from([0])]);
  }
};

/** The same of a cluster of ours. */
export const readEtcd = async function* (access: ClusterAccess, prefix: string): AsyncGenerator<EtcdEntry> {
  const client = await connectEtcd(access);
  try {
    yield* entriesOf(client, prefix);
  } finally {
    client.close();
  }
};
