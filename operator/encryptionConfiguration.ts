import { z } from 'zod';
import { goJson } from './goJson.ts';

const keysOf = z.object({ keys: z.array(z.object({ name: z.string(), secret: z.string() })) });

const kmsConfiguration = z.object({
  apiVersion: z.string().default('v1'),
  name: z.string(),
  cachesize: z.number().optional(),
  endpoint: z.string().default(''),
  timeout: z.string().default('3s'),
});

const provider = z.object({
  aesgcm: keysOf.optional(),
  aescbc: keysOf.optional(),
  secretbox: keysOf.optional(),
  identity: z.object({}).optional(),
  kms: kmsConfiguration.optional(),
});

const encryptionConfiguration = z.object({
  kind: z.literal('EncryptionConfiguration'),
  apiVersion: z.literal('apiserver.config.k8s.io/v1'),
  resources: z.array(z.object({ resources: z.array(z.string()).nullish(), providers: z.array(provider) })).nullish(),
});

export type KmsConfiguration = Readonly<z.output<typeof kmsConfiguration>>;
export type Provider = Readonly<z.output<typeof provider>>;

/** An entry of an EncryptionConfiguration: its first provider writes, all of them read. */
export interface ResourceConfiguration {
  readonly resources: readonly string[] | null;
  readonly providers: readonly Provider[];
}

/**
 * The file that kube-apiserver is given, in Go's order of fields: the sha256 of these bytes is what it reports.
 * @see https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
 */
export const encodeEncryptionConfiguration = (resources: readonly ResourceConfiguration[]): string =>
  goJson({ kind: 'EncryptionConfiguration', apiVersion: 'apiserver.config.k8s.io/v1', resources });

const parsed = <T>(schema: z.ZodType<T>, content: string): T => {
  const result = schema.safeParse(JSON.parse(content));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'content'}: ${issue?.message}`);
};

/** @throws where `content` is no EncryptionConfiguration in JSON */
export const decodeEncryptionConfiguration = (content: string): readonly ResourceConfiguration[] => {
  try {
    const { resources } = parsed(encryptionConfiguration, content);
    return (resources ?? []).map((entry) => ({ resources: entry.resources ?? null, providers: entry.providers }));
  } catch (thrown) {
    throw new Error(`failed to decode EncryptionConfiguration: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};

/** A KMS provider alone, in the wrapper that key secrets carry it in. */
export const encodeKmsConfiguration = (kms: KmsConfiguration): string =>
  encodeEncryptionConfiguration([{ resources: null, providers: [{ kms }] }]);

/** @throws where `content` is not of {@link encodeKmsConfiguration} */
export const decodeKmsConfiguration = (content: string): KmsConfiguration => {
  const [entry, ...others] = decodeEncryptionConfiguration(content);
  const kms = entry?.providers.length === 1 ? entry.providers[0]?.kms : undefined;
  if (kms === undefined || others.length > 0) throw new Error('invalid KMS encryption config');
  return kms;
};
