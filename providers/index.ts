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

/**
 * Starts the stand-ins for those plugins that are not there, for one operation of the engine, which ends them with it
 * (Cancel): start them anew for the next.
 * @param installed packages whose official plugin the engine finds by itself
 */
export const startProviders = async (installed: ReadonlySet<string> = new Set()): Promise<RunningProviders> => {
  const standIns = Object.entries({ kubernetes: startKubernetesProvider, command: startCommandProvider });
  const servers = await Promise.all(
    standIns.flatMap(([name, start]) => (installed.has(name) ? [] : [start().then((server) => ({ name, server }))])),
  );
  return {
    debugProviders: servers.map(({ name, server }) => `${name}:${server.port}`).join(','),
    close: async () => {
      await Promise.all(servers.map(({ server }) => server.close()));
    },
  };
};
