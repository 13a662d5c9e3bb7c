import { join } from 'node:path';
import { writeFileWhole } from '../../common/files.ts';
import type { ApiObject } from '../../common/watchList.ts';

/** What the health reporter of this node lives by. */
export interface ReporterFiles {
  /** Says which keys' sockets are to be asked. */
  watchKeys(keyNumbers: Iterable<number>): Promise<void>;
  /** Says who the reporter is. */
  identify(token: TokenSecret): Promise<void>;
}

/** A Secret of type kubernetes.io/service-account-token, values in base64; without a token until one has been issued. */
export interface TokenSecret extends ApiObject {
  readonly data?: { readonly token?: string; readonly 'ca.crt'?: string };
}

const decoded = (value: string | undefined): string => Buffer.from(value ?? '', 'base64').toString();

/** A kubeconfig in JSON, which is YAML as well. */
const kubeconfigOf = (server: string, { data }: TokenSecret): string | undefined => {
  if (!data?.token) return undefined;
  const name = 'kms-health-reporter';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': data['ca.crt'] ?? '' } }],
    users: [{ name, user: { token: decoded(data.token) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
};

/**
 * Files, so that the reporter starts while no secret can be read: it is in the plugin's pod.
 * @param dir `/etc/kubernetes/kms-health-reporter`
 * @param server the API server of this node
 */
export const openReporterFiles = (dir: string, server: string): ReporterFiles => {
  const written = new Map<string, string>();
  let writing: Promise<void> = Promise.resolve();
  /** One after the other, so that the last one wins. */
  const write = (name: string, content: string): Promise<void> => {
    writing = writing
      .catch(() => {})
      .then(async () => {
        if (written.get(name) === content) return;
        await writeFileWhole(join(dir, name), content);
        written.set(name, content);
      });
    return writing;
  };
  return {
    watchKeys: (keyNumbers) => {
      const numbers = [...new Set(keyNumbers)].sort((a, b) => a - b);
      return write('sockets', numbers.map((number) => `unix:///var/run/kmsplugin/kms-${number}.sock\n`).join(''));
    },
    identify: async (token) => {
      const kubeconfig = kubeconfigOf(server, token);
      if (kubeconfig !== undefined) await write('kubeconfig', kubeconfig);
    },
  };
};
