import { fileURLToPath } from 'node:url';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { type ComponentResourceOptions, Config, getStack, type Output } from '@pulumi/pulumi';
import { silentProgress } from '../common/progress.ts';
import { type BuiltImage, buildServiceImage, restingServiceFlags } from '../image/build.ts';
import { ensureOpenShiftCrds } from '../toolchain/index.ts';
import { ApiServerEncryption } from './ApiServerEncryption.ts';
import { BareKmsPatch } from './BareKmsPatch.ts';
import { ClusterDns } from './ClusterDns.ts';
import { cloudProgram } from './cloud/program.ts';
import { isCloud } from './cloudSettings.ts';
import { EncryptionOperator } from './EncryptionOperator.ts';
import { EtcdAccess } from './EtcdAccess.ts';
import { HealthReporterIdentity } from './HealthReporter.ts';
import { simulateNodes } from './hollow/compose.ts';
import { Image } from './Image.ts';
import { KindCluster } from './KindCluster.ts';
import { KmsBackend } from './KmsBackend.ts';
import { KmsPlugin } from './KmsPlugin.ts';
import { standInVault } from './kmsConfiguration.ts';
import { LocalCluster } from './LocalCluster.ts';
import { OpenShiftApi } from './OpenShiftApi.ts';
import { OpenShiftNamespaces } from './OpenShiftNamespaces.ts';
import { checkedSettings, type StackSettings, settingsNamespace } from './settings.ts';

const readSettings = (): StackSettings => {
  const config = new Config(settingsNamespace);
  return checkedSettings.parse({
    platform: config.require('platform'),
    controlPlanes: config.getNumber('controlPlanes'),
    workers: config.getNumber('workers'),
    egress: config.getBoolean('egress'),
    encryption: config.get('encryption'),
    openshift: config.getBoolean('openshift'),
    healthInterval: config.get('healthInterval'),
    hollowNodes: config.getObject('hollowNodes'),
    placement: config.get('placement'),
    uids: config.get('uids'),
    kind: config.getObject('kind'),
    cloud: config.getObject('cloud'),
  });
};

const kindShape = ({ controlPlanes, workers, openshift, kind }: StackSettings) => ({
  controlPlanes,
  workers,
  openshift,
  kind,
});

const ownCluster = async (
  settings: StackSettings,
  clusterName: string,
  registryCredentials: Output<string> | undefined,
): Promise<{ readonly kubeconfig: Output<string> }> => {
  const cluster =
    settings.platform === 'kind'
      ? new KindCluster('cluster', { clusterName, ...kindShape(settings), registryCredentials })
      : new LocalCluster('cluster', { clusterName, ...settings, registryCredentials });
  const provider = new Provider('cluster', {
    kubeconfig: cluster.kubeconfig,
    // Tells clusters apart also while the kubeconfig is not known yet.
    clusterIdentifier: clusterName,
    enableConfigMapMutable: true,
  });
  const onCluster: ComponentResourceOptions = {
    providers: [provider],
    dependsOn: [cluster],
    // The objects in a cluster go with it, at once and even if it is out of order.
    transformations: [({ props, opts }) => ({ props, opts: { ...opts, deletedWith: cluster.boxes } })],
  };
  // Loaded while the API server starts: they need the boxes only, and wait for them by themselves.
  const loaded = (name: string, repository: string, built: Promise<BuiltImage>): Image =>
    new Image(`${name}-image`, {
      repository,
      built,
      clusterName,
      nodeCount: settings.controlPlanes + settings.workers,
    });
  const image = (name: string, main: string, nodeFlags?: readonly string[]): Image => {
    const entryPoint = fileURLToPath(new URL(main, import.meta.url));
    const service = { name: `understudy.local/${name}`, entryPoint, ...(nodeFlags && { nodeFlags }) };
    return loaded(name, service.name, buildServiceImage(service, silentProgress));
  };
  const pluginImage = image('kms-plugin', '../plugin/main.ts');
  const reporterImage = image('kms-health-reporter', '../reporter/main.ts', restingServiceFlags);
  const operatorImage = image('operator', '../operator/main.ts');
  const namespaces = new OpenShiftNamespaces('openshift', onCluster);
  const inNamespaces: ComponentResourceOptions = { ...onCluster, dependsOn: [namespaces] };
  const api = new OpenShiftApi('openshift', { definitionFiles: await ensureOpenShiftCrds(silentProgress) }, onCluster);
  const { healthInterval } = settings;
  const plugin = new KmsPlugin(
    'kms-plugin',
    { image: pluginImage.reference, healthReporter: { image: reporterImage.reference, interval: healthInterval } },
    onCluster,
  );
  new HealthReporterIdentity('health-reporter', inNamespaces);
  const operator = new EncryptionOperator(
    'encryption-operator',
    { image: operatorImage.reference, healthInterval, apiServer: settings.platform === 'kind' ? 'static-pod' : 's6' },
    inNamespaces,
  );
  const backend = new KmsBackend('kms-backend', onCluster);
  // kubeadm installs one of its own.
  if (cluster instanceof LocalCluster) {
    new ClusterDns('dns', { serverAddresses: cluster.controlPlaneAddresses }, onCluster);
  }
  const kms = pluginImage.digestReference.apply(standInVault);
  if (settings.openshift) {
    new EtcdAccess('etcd', { certificates: cluster.etcd, pauseImage: cluster.pauseImage }, inNamespaces);
    new BareKmsPatch('bare-kms-patch', { kms }, onCluster);
  }
  new ApiServerEncryption(
    'encryption',
    {
      clusterName,
      type: settings.encryption,
      typeAfter: 'identity',
      within: { first: '10m', later: '30m' },
      kms,
      carriers: [plugin, operator, backend],
    },
    { ...onCluster, dependsOn: [namespaces, api] },
  );
  await simulateNodes(settings, clusterName, { service: image, loaded }, onCluster);
  return { kubeconfig: cluster.kubeconfig };
};

/** The whole of a stack, by its settings. */
export const program = async (): Promise<{ readonly kubeconfig: Output<string> }> => {
  const settings = readSettings();
  const registryCredentials = new Config(settingsNamespace).getSecret('registryCredentials');
  const make = isCloud(settings.platform) ? cloudProgram : ownCluster;
  return make(settings, getStack(), registryCredentials);
};
