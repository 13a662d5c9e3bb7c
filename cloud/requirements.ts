import { compareVersions } from '../toolchain/version.ts';
import type { Access, CloudObservation } from './observation.ts';

/** What a stack asks of a cluster. */
export interface CloudWish {
  readonly stack: string;
  readonly platform: 'aws' | 'gcp' | 'azure';
  readonly deployment: 'sidecar' | 'daemonset';
  /** `<host>[:<port>]/<path>`. */
  readonly registry: string;
  /** Registries that the stack has credentials for. */
  readonly credentials: readonly string[];
  /** The cluster that the stack is up on already. */
  readonly clusterID: string | undefined;
}

/** What a cluster lacks, and what to do about it. */
export interface Problem {
  readonly got: string;
  readonly next: string;
}

/** The first Kubernetes in which KMS v2 is stable (KEP-3299). */
const oldest = '1.29.0';

const platformTypes = { aws: 'AWS', gcp: 'GCP', azure: 'Azure' } as const;

/** OpenShift's feature gate of `spec.encryption.type: KMS` (openshift/api features). */
const gate = 'KMSEncryption';

const accessText = ({ verb, group, resource, namespace, name }: Access): string => {
  const what = `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : `/${name}`}`;
  return namespace === undefined ? what : `${what} in ${namespace}`;
};

const registryHost = (registry: string): string => registry.split('/')[0] ?? registry;

/** A cluster that is another kind of thing altogether: what else it lacks says nothing more. */
const misfit = (seen: CloudObservation, wish: CloudWish): Problem | undefined => {
  const next = 'let KUBECONFIG, or understudy:cloud.kubeconfig, name an administrator of the right cluster';
  if (seen.openShift === undefined) {
    return { got: 'it is no OpenShift: it has no clusterversions.config.openshift.io/version', next };
  }
  if (wish.clusterID !== undefined && wish.clusterID !== seen.openShift.clusterID) {
    return {
      got: `stack ${wish.stack} is up on another cluster: ${wish.clusterID}, and this one is ${seen.openShift.clusterID}`,
      next,
    };
  }
  const type = platformTypes[wish.platform];
  if (seen.platform !== type) {
    return {
      got: `the stack's platform is ${wish.platform}, and the cluster is on ${seen.platform ?? 'none that it tells'}`,
      next,
    };
  }
  return undefined;
};

const gateProblem = ({ features }: CloudObservation, { deployment }: CloudWish): Problem | undefined =>
  deployment === 'daemonset' || features.enabled.includes(gate)
    ? undefined
    : {
        got: `its feature gate ${gate} is off (feature set ${features.set || 'Default'})`,
        next: 'use a cluster with feature set TechPreviewNoUpgrade, or understudy:cloud.deployment daemonset',
      };

const kmsProblem = ({ encryption }: CloudObservation, { registry }: CloudWish): Problem | undefined => {
  if (encryption === undefined) {
    return { got: 'it has no apiservers.config.openshift.io/cluster', next: 'wait until the cluster is installed' };
  }
  const { type, kmsPluginImage = 'no image' } = encryption;
  return type !== 'KMS' || kmsPluginImage.startsWith(`${registry}/`)
    ? undefined
    : {
        got: `it is encrypted by another KMS plugin already: ${kmsPluginImage}`,
        next: 'use another cluster, or have that one decrypted by whoever encrypted it',
      };
};

const namespaceProblem = ({ namespaceOf }: CloudObservation, { stack, deployment }: CloudWish): Problem | undefined =>
  deployment === 'sidecar' || namespaceOf === undefined || namespaceOf === stack
    ? undefined
    : {
        got: `it has a namespace openshift-kms-plugin of ${namespaceOf === '' ? 'somebody else' : `stack ${namespaceOf}`}`,
        next: 'remove what made that, or use another cluster',
      };

const pullProblem = ({ pullSecret }: CloudObservation, wish: CloudWish): Problem | undefined => {
  const host = registryHost(wish.registry);
  const isPrivate = wish.credentials.some((registry) => registryHost(registry) === host);
  if (wish.deployment === 'daemonset' || !isPrivate || pullSecret === undefined) return undefined;
  return pullSecret.some((registry) => registryHost(registry) === host)
    ? undefined
    : {
        got: `its pull secret has no credentials for ${host}, and kube-apiserver's pods have no other`,
        next: "add them with 'oc set data secret/pull-secret -n openshift-config --from-file=.dockerconfigjson=…', or let the image be public",
      };
};

/** All that keeps a stack from a cluster; nothing where it fits. */
export const problemsOf = (seen: CloudObservation, wish: CloudWish): readonly Problem[] => {
  const wrong = misfit(seen, wish);
  if (wrong !== undefined) return [wrong];
  const problems: (Problem | false | undefined)[] = [
    compareVersions(seen.kubernetes.replace(/^v/, ''), oldest) < 0 && {
      got: `it runs Kubernetes ${seen.kubernetes}, and KMS v2 is stable from 1.29 on (OpenShift 4.16)`,
      next: 'use a newer cluster',
    },
    gateProblem(seen, wish),
    seen.controlPlanes === 0 && {
      got: 'it shows no control-plane node: its API server runs elsewhere',
      next: 'use a cluster with a control plane of its own',
    },
    kmsProblem(seen, wish),
    namespaceProblem(seen, wish),
    pullProblem(seen, wish),
    seen.denied.length > 0 && {
      got: `its user may not ${seen.denied.map(accessText).join(', ')}`,
      next: 'use a kubeconfig of a cluster administrator',
    },
  ];
  return problems.filter((problem) => problem !== undefined && problem !== false);
};
