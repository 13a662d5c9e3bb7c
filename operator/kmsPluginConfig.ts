/** `spec.encryption.kms` of `apiservers.config.openshift.io/cluster`. */
export interface KmsPluginConfig {
  readonly type: string;
  readonly vault?: VaultConfig;
}

export interface VaultConfig {
  readonly kmsPluginImage?: string;
  readonly vaultAddress?: string;
  readonly vaultNamespace?: string;
  readonly vaultAuthNamespace?: string;
  readonly tls?: { readonly caBundle?: { readonly name?: string }; readonly serverName?: string };
  readonly authentication?: {
    readonly type?: string;
    readonly appRole?: { readonly secret?: { readonly name?: string } };
  };
  readonly vaultKeyPath?: string;
}
