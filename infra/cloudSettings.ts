import { z } from 'zod';

/** Platforms whose cluster is an OpenShift that exists. */
export const cloudPlatforms = ['aws', 'gcp', 'azure'] as const;
export type CloudPlatform = (typeof cloudPlatforms)[number];

export const isCloud = (platform: string): platform is CloudPlatform =>
  cloudPlatforms.some((cloud) => cloud === platform);

/** `<host>[:<port>]/<path>`, as image references begin: the host has a dot, a port, or is localhost. */
const registry =
  /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]+(?=:))(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+$/;

/** Settings of a stack with platform aws, gcp or azure: `understudy:cloud`. */
export const cloudSettings = z.strictObject({
  /** Where images are pushed to. */
  registry: z
    .string()
    .regex(registry, { error: 'it is no registry with a path in it, such as quay.io/me/understudy' })
    .optional(),
  /** Whether OpenShift's operator puts the plugin beside kube-apiserver, or a DaemonSet onto the control-plane nodes. */
  deployment: z.enum(['sidecar', 'daemonset']).default('sidecar'),
  /** An administrator's kubeconfig; that which KUBECONFIG names, unless told. */
  kubeconfig: z.string().startsWith('/', { error: 'it is no absolute path' }).optional(),
});
export type CloudSettings = z.infer<typeof cloudSettings>;

interface Settings {
  readonly encryption: string;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly hollowNodes: readonly unknown[];
  readonly uids: string;
  readonly cloud: CloudSettings;
}

/** What does not go together on a cloud, by setting. */
const misfits = (settings: Settings): readonly (readonly [string, string])[] => {
  const nodes = "its nodes are the cluster's own: leave it out";
  const { cloud, encryption } = settings;
  const found: (readonly [string, string] | false)[] = [
    cloud.registry === undefined && ['cloud.registry', 'it is missing: images have to be pushed somewhere'],
    cloud.deployment === 'daemonset' &&
      encryption === 'KMS' && [
        'encryption',
        'OpenShift encrypts by no plugin of a DaemonSet: name identity, aescbc or aesgcm, or cloud.deployment sidecar',
      ],
    settings.controlPlanes !== 1 && ['controlPlanes', nodes],
    settings.workers !== 0 && ['workers', nodes],
    settings.hollowNodes.length > 0 && ['hollowNodes', 'platforms local and kind have them so far'],
    settings.uids !== 'off' && ['uids', 'OpenShift gives UIDs by itself: leave it out'],
  ];
  return found.filter((one) => one !== false);
};

/** Says what platforms aws, gcp and azure lack or do not have, rather than leave it out in silence. */
export const refuseOnCloud = (
  settings: Settings,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void => {
  for (const [path, message] of misfits(settings)) context.addIssue({ code: 'custom', path: [path], message });
};
