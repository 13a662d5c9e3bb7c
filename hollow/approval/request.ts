import 'reflect-metadata';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { hollowNodePrefix, hollowSetName, nodeAccount } from '../../common/hollowNodes.ts';

/** What matters here of a CertificateSigningRequest. */
export interface SigningRequest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    /** PEM in base64. */
    readonly request: string;
    readonly signerName: string;
    readonly username?: string;
    readonly usages?: readonly string[];
    /** What the API server knows of who asks; out of the token of a pod its name and UID. */
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string }[];
    readonly certificate?: string;
  };
}

/** A pod that simulates a node. */
export interface NodePod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

/** What to do with a request; `none` where it is not ours to decide, or not yet. */
export type Judgement = { readonly verdict: 'approve' | 'none' } | { readonly verdict: 'deny'; readonly why: string };

export const kubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

const accountUser = `system:serviceaccount:${nodeAccount.namespace}:${nodeAccount.name}`;
const podNameExtra = 'authentication.kubernetes.io/pod-name';
const podUidExtra = 'authentication.kubernetes.io/pod-uid';
const kubeletUsages = ['client auth', 'digital signature', 'key encipherment'];

interface Asked {
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  /** Whether it asks for more than a subject, such as names of a server. */
  readonly hasExtensions: boolean;
}

const readAsked = (request: string): Asked | undefined => {
  try {
    const parsed = new Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString('utf8'));
    return {
      commonNames: parsed.subjectName.getField('CN'),
      organizations: parsed.subjectName.getField('O'),
      hasExtensions: parsed.extensions.length > 0,
    };
  } catch {
    return undefined;
  }
};

const isOf = (pod: NodePod, group: string): boolean =>
  (pod.metadata.ownerReferences ?? []).some(
    ({ kind, name, controller }) => controller === true && kind === 'StatefulSet' && name === hollowSetName(group),
  ) && pod.metadata.name.startsWith(hollowNodePrefix(group));

const only = (values: readonly string[] | undefined): string | undefined =>
  values?.length === 1 ? values[0] : undefined;

/**
 * Decides whether a pod may have the client certificate of a kubelet that it asks for: that of the node of its own name alone. It is the API
 * server that says which pod asks, by the token, so no pod can speak for another one.
 * @param groups names of the groups that kubemark simulates
 * @see https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
export const judgeRequest = (
  { spec, status }: SigningRequest,
  pods: readonly NodePod[],
  groups: readonly string[],
): Judgement => {
  const isDecided = status?.certificate !== undefined || (status?.conditions ?? []).length > 0;
  if (spec.signerName !== kubeletSigner || spec.username !== accountUser || isDecided) return { verdict: 'none' };
  const deny = (why: string): Judgement => ({ verdict: 'deny', why });
  const podName = only(spec.extra?.[podNameExtra]);
  const podUid = only(spec.extra?.[podUidExtra]);
  if (podName === undefined || podUid === undefined) return deny('the token of who asks is not bound to a pod');
  const asked = readAsked(spec.request);
  if (asked === undefined) return deny('it is no certificate request');
  if (only(asked.commonNames) !== `system:node:${podName}`) {
    return deny(`pod ${podName} asks to be '${asked.commonNames.join(', ')}'; it may be system:node:${podName} alone`);
  }
  if (only(asked.organizations) !== 'system:nodes') return deny('its organization is not system:nodes alone');
  if (asked.hasExtensions) return deny('it asks for more than a subject');
  const surplus = (spec.usages ?? []).filter((usage) => !kubeletUsages.includes(usage));
  if (surplus.length > 0) return deny(`it asks for the usages ${surplus.join(', ')}`);
  const pod = pods.find(({ metadata }) => metadata.name === podName);
  // The watch of pods may be a moment behind that of requests.
  if (pod === undefined) return { verdict: 'none' };
  if (pod.metadata.uid !== podUid) return deny(`there is another pod ${podName} by now`);
  if (!groups.some((group) => isOf(pod, group))) return deny(`pod ${podName} is of no group of hollow nodes`);
  return { verdict: 'approve' };
};
