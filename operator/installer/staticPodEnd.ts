import type { KubeClient } from '../../common/kubeClient.ts';
import { revisionAnnotation } from './staticPodManifest.ts';

interface Ended {
  readonly exitCode?: number;
  readonly message?: string;
}

/** What this needs of a pod. */
export interface MirrorPod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly state?: { readonly terminated?: Ended };
      readonly lastState?: { readonly terminated?: Ended };
    }[];
  };
}

const longestMessage = 300;

/** How the container of that start of a static pod has ended, in words; undefined as long as it has not. */
export const endOf = (pod: MirrorPod, revision: string): string | undefined => {
  if (pod.metadata?.annotations?.[revisionAnnotation] !== revision) return undefined;
  const [container] = pod.status?.containerStatuses ?? [];
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  if (ended === undefined) return undefined;
  const last = ended.message?.trimEnd().split('\n').at(-1)?.slice(0, longestMessage);
  return `exit code ${ended.exitCode ?? 'unknown'}${last ? `: ${last}` : ''}`;
};

/** Asks by what the kubelet tells of a static pod in its mirror. Nobody who answers, or no mirror yet, is no end. */
export const endOfMirror = async (client: KubeClient, name: string, revision: string): Promise<string | undefined> => {
  try {
    const path = `/api/v1/namespaces/kube-system/pods/${name}`;
    return endOf(await client.send<MirrorPod>({ method: 'GET', path }), revision);
  } catch {
    return undefined;
  }
};
