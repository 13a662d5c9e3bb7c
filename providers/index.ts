import { createRequire } from 'node:module';
import { createCommandProvider } from './command/provider.ts';
import { createKubernetesProvider } from './kubernetes/provider.ts';
import { type PluginInfo, type ProviderServer, serveProvider } from './protocol/server.ts';

const require = createRequire(import.meta.url);

/** The plugin that an SDK package goes with, as its package.json says. */
const pluginOf = (packageName: string): PluginInfo => {
  const { pulumi } = require(`${packageName}/package.json`) as { pulumi: PluginInfo };
  return { name: pulumi.name, version: pulumi.version };
};

export const startKubernetesProvider = (): Promise<ProviderServer> =>
  serveProvider(pluginOf('@pulumi/kubernetes'), createKubernetesProvider);

export const startCommandProvider = (): Promise<ProviderServer> =>
  serveProvider(pluginOf('@pulumi/command'), createCommandProvider);

export interface RunningProviders {
  /** Value of the engine's environment variable `PULUMI_DEBUG_PROVIDERS`. */
  readonly debugProviders: string;
  close(): Promise<void>;
}

/** Starts both stand-ins for one operation of the engine, which ends them with it (Cancel): start them anew for the next. */
export const startProviders = async (): Promise<RunningProviders> => {
  const [kubernetes, command] = await Promise.all([startKubernetesProvider(), startCommandProvider()]);
  return {
    debugProviders: `kubernetes:${kubernetes.port},command:${command.port}`,
    close: async () => {
      await Promise.all([kubernetes.close(), command.close()]);
    },
  };
};
