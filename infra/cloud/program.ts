import { fileURLToPath } from 'node:url';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { type ComponentResourceOptions, type Output, output } from '@pulumi/pulumi';
import { silentProgress } from '../../common/progress.ts';
import { buildServiceImage } from '../../image/build.ts';
import { repositoryIn } from '../../image/push.ts';
import { ApiServerEncryption } from '../ApiServerEncryption.ts';
import { standInVault } from '../kmsConfiguration.ts';
import type { StackSettings } from '../settings.ts';
import { ExistingCluster } from './ExistingCluster.ts';
import { kubeconfigPath } from './kubeconfigPath.ts';
import { PluginDaemonSet } from './PluginDaemonSet.ts';
import { PushedImage } from './PushedImage.ts';

/** The whole of a stack on an OpenShift that exists. @returns the path of the kubeconfig that it was made with */
export const cloudProgram = (
  settings: StackSettings,
  stackName: string,
  registryCredentials: Output<string> | undefined,
): { readonly kubeconfig: Output<string> } => {
  const { platform, encryption, cloud } = settings;
  const kubeconfig = kubeconfigPath(cloud);
  const cluster = new ExistingCluster('cluster', { stackName, settings: { platform, encryption, cloud } });
  const provider = new Provider('cluster', {
    // A path, so that credentials that are renewed there are taken, and none are in the engine's state.
    kubeconfig,
    clusterIdentifier: stackName,
    enableConfigMapMutable: true,
  });
  const service = {
    name: 'understudy.local/kms-plugin',
    entryPoint: fileURLToPath(new URL('../../plugin/main.ts', import.meta.url)),
  };
  const image = new PushedImage(
    'kms-plugin-image',
    {
      built: buildServiceImage(service, silentProgress),
      repository: repositoryIn(cloud.registry ?? '', service.name),
      registryCredentials,
    },
    // Nothing is pushed for a cluster that it is not for, and nothing changed in it for an image that is nowhere.
    { dependsOn: [cluster] },
  );
  const onCluster: ComponentResourceOptions = { providers: [provider], dependsOn: [cluster, image] };
  // OpenShift rolls out its API servers one after the other, several times; its own suite waits for 79 minutes.
  const within = { first: '95m', later: '95m' };
  const typed = { clusterName: stackName, type: encryption, typeAfter: cluster.encryptionBefore, within };
  if (cloud.deployment === 'sidecar') {
    const kms = image.reference.apply(standInVault);
    new ApiServerEncryption('encryption', { ...typed, kms, carriers: [] }, onCluster);
  } else {
    const plugin = new PluginDaemonSet(
      'kms-plugin',
      { stackName, image: image.reference, registryCredentials },
      onCluster,
    );
    new ApiServerEncryption('encryption', { ...typed, carriers: [plugin] }, onCluster);
  }
  return { kubeconfig: output(kubeconfig) };
};
