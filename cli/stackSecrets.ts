import { UsageFailure } from '../common/failure.ts';
import { readPassphrase } from './engineHome.ts';
import { openSecrets, type PulumiSecrets } from './pulumiSecrets.ts';
import { parseRegistryCredentials } from './registryCredentials.ts';
import type { Stack } from './stack.ts';

const unreadable = (stack: Stack, got: string): UsageFailure =>
  new UsageFailure({
    tried: `decrypt the secrets in ${stack.settingsPath}`,
    got,
    next: `give the passphrase that they were encrypted with in PULUMI_CONFIG_PASSPHRASE; or take understudy:registryCredentials and encryptionsalt out of that file, and run 'understudy secret set registryCredentials ${stack.name} < config.json'`,
  });

/**
 * What the secrets of a stack file are encrypted with.
 * @throws UsageFailure where the passphrase is another one
 */
export const openStackSecrets = async (stack: Stack, encryptionSalt: string): Promise<PulumiSecrets> => {
  const secrets = await openSecrets(await readPassphrase(), encryptionSalt);
  if (secrets !== undefined) return secrets;
  throw unreadable(stack, 'the passphrase is wrong: they were encrypted with another one');
};

/**
 * The registry credentials of a stack in plain text, checked; undefined where it has none.
 * @throws UsageFailure which shows nothing of them
 */
export const registryCredentialsOf = async (stack: Stack): Promise<string | undefined> => {
  const secure = stack.settings.registryCredentials?.secure;
  if (secure === undefined) return undefined;
  if (stack.encryptionSalt === undefined)
    throw unreadable(stack, 'it has no encryptionsalt: another provider than the passphrase encrypted them');
  const plain = (await openStackSecrets(stack, stack.encryptionSalt)).decrypt(secure);
  if (plain === undefined) {
    throw unreadable(stack, 'understudy:registryCredentials was cut short, or encrypted with another encryptionsalt');
  }
  return parseRegistryCredentials(plain);
};
