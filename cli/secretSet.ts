import { readFile, realpath, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseDocument } from 'yaml';
import { UsageFailure } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { settingsNamespace } from '../infra/settings.ts';
import { readPassphrase } from './engineHome.ts';
import { type OutputOptions, printResult } from './output.ts';
import { newSecrets } from './pulumiSecrets.ts';
import { parseRegistryCredentials, registriesOf } from './registryCredentials.ts';
import type { Stack } from './stack.ts';
import { openStackSecrets } from './stackSecrets.ts';

/** The text of a stack file with a secret in it, as `pulumi config set --secret` writes it; all else stays, comments too. */
export const withSecret = (file: string, setting: string, secure: string, encryptionSalt: string): string => {
  const document = parseDocument(file);
  document.setIn(['config', `${settingsNamespace}:${setting}`], document.createNode({ secure }));
  document.set('encryptionsalt', encryptionSalt);
  return document.toString({ lineWidth: 0 });
};

/** Encrypts the registry credentials on standard input, checked, into the stack file. */
export const setRegistryCredentials = async (stack: Stack, options: OutputOptions): Promise<void> => {
  if (process.stdin.isTTY) {
    throw new UsageFailure({
      tried: 'read the registry credentials',
      got: 'standard input is a terminal',
      next: `run 'understudy secret set registryCredentials ${stack.name} < ~/.docker/config.json'`,
    });
  }
  const credentials = parseRegistryCredentials(await text(process.stdin));
  const secrets = await (stack.encryptionSalt === undefined
    ? newSecrets(await readPassphrase())
    : openStackSecrets(stack, stack.encryptionSalt));
  const path = await realpath(stack.settingsPath);
  const [file, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  const changed = withSecret(file, 'registryCredentials', secrets.encrypt(credentials), secrets.salt);
  await writeFileWhole(path, changed, mode & 0o777);
  const registries = registriesOf(credentials);
  printResult(
    options,
    { stack: stack.name, setting: 'registryCredentials', registries },
    `${path} has credentials for ${registries.join(', ')}, encrypted.\n  npx understudy up ${stack.name}   # gives them to the nodes`,
  );
};
