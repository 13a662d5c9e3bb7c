import { fileURLToPath } from 'node:url';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { type ComponentResourceOptions, Config, getStack, type Output } from '@pulumi/pulumi';
import { ApiServerEncryption } from './ApiServerEncryption.ts';
import { ClusterDns } from './ClusterDns.ts';
import { Image } from './Image.ts';
import { KmsPlugin } from './KmsPlugin.ts';
import { LocalCluster } from './LocalCluster.ts';
import { type StackSettings, settingsNamespace, stackSettings } from './settings.ts';

const readSettings = (): StackSettings => {
  const config = new Config(settingsNamespace);
  return stackSettings.parse({
    platform: config.require('platform'),
    controlPlanes: config.getNumber('controlPlanes'),
    workers: config.getNumber('workers'),
    egress: config.getBoolean('egress'),
  });
};

/** The whole of a stack, by its settings. */
export const program = async (): Promise<{ readonly kubeconfig: Output<string> }> => {
  const settings = readSettings();
  const clusterName = getStack();
  const cluster = new LocalCluster('cluster', { clusterName, ...settings });
  const provider = new Provider('cluster', {
    kubeconfig: cluster.kubeconfig,
    // Tells clusters apart also while the kubeconfig is not known yet.
    clusterIdentifier: clusterName,
  });
  const onCluster: ComponentResourceOptions = {
    providers: [provider],
    dependsOn: [cluster],
    // The objects in a cluster go with it, at once and even if it is out of order.
    transformations: [({ props, opts }) => ({ props, opts: { ...opts, deletedWith: cluster.boxes } })],
  };
  // Loaded while the API server starts: it needs the boxes only, and waits for them by itself.
  const image = new Image('kms-plugin-image', {
    repository: 'understudy.local/kms-plugin',
    entryPoint: fileURLToPath(new URL('../plugin/main.ts', import.meta.url)),
    clusterName,
    nodeCount: settings.controlPlanes + settings.workers,
  });
  const plugin = new KmsPlugin('kms-plugin', { image: image.reference }, onCluster);
  const dns = new ClusterDns('dns', { serverAddresses: cluster.controlPlaneAddresses }, onCluster);
  new ApiServerEncryption(
    'encryption',
    { clusterName, controlPlanes: settings.controlPlanes },
    { dependsOn: [plugin, dns] },
  );
  return { kubeconfig: cluster.kubeconfig };
};
