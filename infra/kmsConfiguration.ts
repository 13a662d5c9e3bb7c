/**
 * `spec.encryption.kms` of `apiservers.config.openshift.io/cluster`.
 * @see https://github.com/openshift/api/blob/master/config/v1/types_kmsencryption.go
 */
export interface KmsConfiguration {
  readonly type: 'Vault';
  readonly vault: {
    /** By digest. */
    readonly kmsPluginImage: string;
    /** https, without a path. */
    readonly vaultAddress: string;
    /** `<mount>/keys/<name>`. */
    readonly vaultKeyPath: string;
    readonly authentication: {
      readonly type: 'AppRole';
      /** A secret in `openshift-config` with `role-id` and `secret-id`. */
      readonly appRole: { readonly secret: { readonly name: string } };
    };
  };
}

/** The secret with the AppRole that the plugin would log in with. */
export const appRoleSecret = 'understudy-approle';

/** Names our plugin as Vault's: another address or key path would be another key-encryption key. */
export const standInVault = (kmsPluginImage: string): KmsConfiguration => ({
  type: 'Vault',
  vault: {
    kmsPluginImage,
    vaultAddress: 'https://vault.understudy.local:8200',
    vaultKeyPath: 'transit/keys/understudy',
    authentication: { type: 'AppRole', appRole: { secret: { name: appRoleSecret } } },
  },
});
