import { z } from 'zod';
import { uidModes } from '../common/admissionWebhook.ts';
import { parseDuration } from '../common/duration.ts';
import { hollowGroups } from '../common/hollowGroups.ts';
import { crowdedBy } from '../common/hollowRoom.ts';
import { cloudPlatforms, cloudSettings, isCloud, refuseOnCloud } from './cloudSettings.ts';
import { kindSettings } from './kindSettings.ts';

const inBounds = (ms: number | undefined): boolean => ms !== undefined && ms >= 1_000 && ms <= 3_600_000;

/** Each setting of a stack by itself. */
export const stackSettings = z.strictObject({
  /** Where the cluster comes from. */
  platform: z.enum(['local', 'kind', ...cloudPlatforms]),
  /** Control-plane nodes; fixed once the cluster is made. */
  controlPlanes: z.union([z.literal(1), z.literal(3)]).default(1),
  /** Worker nodes beside them. */
  workers: z.int().min(0).max(40).default(0),
  /** Whether boxes may reach beyond this machine: image pulls, and NAT for pods. */
  egress: z.boolean().default(false),
  /** How secrets and config maps are encrypted in etcd once the stack is up; `understudy encrypt` changes it later. */
  encryption: z.enum(['KMS', 'aescbc', 'aesgcm', 'identity']).default('KMS'),
  /** Whether etcd looks as on OpenShift: its prefix, its service and its certificates; fixed once the cluster is made. */
  openshift: z.boolean().default(true),
  /** How often the health of the KMS plugins is reported, as a Go duration: `30s`, `1s`. */
  healthInterval: z
    .string()
    .refine((text) => inBounds(parseDuration(text)), { error: 'it is no duration from 1s to 1h, such as 30s' })
    .default('30s'),
  /** Groups of nodes without machines. */
  hollowNodes: hollowGroups.default([]),
  /** Who decides which pods may be on hollow nodes: the API server itself, from Kubernetes 1.36 on, or a webhook. */
  placement: z.enum(['policy', 'webhook']).default('policy'),
  /** Which UID is given to pods that need one and name none: none, as OpenShift does, or any. */
  uids: z.enum(uidModes).default('off'),
  /** What only platform kind has. */
  kind: kindSettings.prefault({}),
  /** What only platforms aws, gcp and azure have. */
  cloud: cloudSettings.prefault({}),
  /** What nodes pull images from private registries with: a secret of Pulumi's, `understudy secret set` writes it. */
  registryCredentials: z
    .strictObject(
      { secure: z.string() },
      { error: "it is no secret; take it out and run 'understudy secret set registryCredentials < config.json'" },
    )
    .optional(),
});

export type StackSettings = z.infer<typeof stackSettings>;

/** The settings of a stack, `understudy:<name>` in `stacks/Pulumi.<stack>.yaml`, as they have to go together. */
export const checkedSettings = stackSettings.superRefine((settings, context) => {
  const message = crowdedBy(settings.hollowNodes, settings);
  if (message !== undefined) context.addIssue({ code: 'custom', path: ['hollowNodes'], message });
  if (isCloud(settings.platform)) refuseOnCloud(settings, context);
});

/** Prefix of our settings in a stack file. */
export const settingsNamespace = 'understudy';
