import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { type KubeClient, kubeClient } from './kubeClient.ts';

/** Who this process is, from KUBECONFIG or from the service account of its pod. */
export const loadConfig = (): KubeConfig => {
  const config = new KubeConfig();
  if (process.env.KUBECONFIG === undefined) config.loadFromCluster();
  else config.loadFromDefault();
  return config;
};

/** @param server `https://<host>:<port>`; that of the configuration where left out. */
export const clientOf = (config: KubeConfig, server = config.getCurrentCluster()?.server ?? ''): KubeClient =>
  kubeClient({
    server,
    credentials: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return options;
    },
  });
