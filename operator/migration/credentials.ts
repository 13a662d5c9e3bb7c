import type { IncomingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';

/** Where the API server is and as whom to ask it. */
export interface Credentials {
  /** `https://host:port` */
  readonly server: string;
  readonly tls: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string };
  /** `authorization`, for accounts with a token. */
  readonly headers: IncomingHttpHeaders;
}

/** Tokens are renewed in their file long before they end, and files are read again by the client every minute. */
const keepMs = 10_000;

/** Credentials of a kubeconfig's current user, looked at again every 10 s instead of at each of thousands of requests. */
export const credentialsOf = (config: KubeConfig): (() => Promise<Credentials>) => {
  const read = async (): Promise<Credentials> => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized, servername, headers } = options;
    return {
      server: config.getCurrentCluster()?.server ?? '',
      tls: {
        ca,
        cert,
        key,
        ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
        ...(servername === undefined ? {} : { servername }),
      },
      headers: Object.fromEntries(
        Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
      ),
    };
  };
  let known: Promise<Credentials> | undefined;
  let readAt = 0;
  return () => {
    if (known === undefined || performance.now() - readAt > keepMs) {
      readAt = performance.now();
      known = read();
      known.catch(() => {
        known = undefined;
      });
    }
    return known;
  };
};
