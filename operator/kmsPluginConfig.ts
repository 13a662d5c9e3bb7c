import { z } from 'zod';
import { goJson } from './goJson.ts';

const named = z.object({ name: z.string().optional() });

const vault = z.object({
  kmsPluginImage: z.string().optional(),
  vaultAddress: z.string().optional(),
  vaultNamespace: z.string().optional(),
  vaultAuthNamespace: z.string().optional(),
  tls: z.object({ caBundle: named.optional(), serverName: z.string().optional() }).optional(),
  authentication: z
    .object({ type: z.string().optional(), appRole: z.object({ secret: named.optional() }).optional() })
    .optional(),
  vaultKeyPath: z.string().optional(),
});

const plugin = z.object({ type: z.string().default(''), vault: vault.optional() });

const apiServer = z.object({
  kind: z.literal('APIServer'),
  apiVersion: z.literal('config.openshift.io/v1'),
  spec: z.object({ encryption: z.object({ kms: plugin.optional() }).optional() }).optional(),
});

export type VaultConfig = Readonly<z.output<typeof vault>>;

/** `spec.encryption.kms` of `apiservers.config.openshift.io/cluster`. */
export type KmsPluginConfig = Readonly<z.output<typeof plugin>>;

/** Without what is empty, at every depth, as Go's `omitzero` leaves it out; `undefined` where nothing is left. */
const dense = (value: unknown): unknown => {
  if (value === '') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, dense(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** Fields in Go's order, whatever order a user wrote them in; fields that nobody knows are left out. */
const ordered = (config: KmsPluginConfig): object | undefined => {
  const { type, vault: settings } = plugin.parse(config);
  const vaultFields = dense(settings);
  return type === '' && vaultFields === undefined ? undefined : { type, vault: vaultFields };
};

/** Of all its fields; two configurations are the same where these texts are. Empty where nothing is set. */
export const pluginFingerprint = (config: KmsPluginConfig | undefined): string =>
  config === undefined ? '' : (JSON.stringify(ordered(config)) ?? '');

/** What the hash of a KMS configuration is taken over, apart from the objects it refers to. */
export const encodeVaultConfig = (config: VaultConfig): string => goJson(dense(vault.parse(config)) ?? {});

/** In the wrapper that key secrets and the config secret carry it in: an APIServer object. */
export const encodePluginConfig = (config: KmsPluginConfig): string =>
  goJson({
    kind: 'APIServer',
    apiVersion: 'config.openshift.io/v1',
    metadata: {},
    spec: { servingCerts: {}, clientCA: { name: '' }, encryption: { kms: ordered(config) }, audit: {} },
    status: {},
  });

/** @throws where `content` is not of {@link encodePluginConfig} */
export const decodePluginConfig = (content: string): KmsPluginConfig => {
  const result = apiServer.safeParse(JSON.parse(content));
  if (result.success) return result.data.spec?.encryption?.kms ?? { type: '' };
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'content'}: ${issue?.message}`);
};
