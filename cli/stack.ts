import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { hasCode, messageOf, UsageFailure } from '../common/failure.ts';
import { readFileIfThere } from '../common/files.ts';
import { homeDir, projectDir } from '../common/paths.ts';
import { checkedSettings, type StackSettings, settingsNamespace, stackSettings } from '../infra/settings.ts';

/** A stack that a user named, with its checked settings and its places on this machine. */
export interface Stack {
  readonly name: string;
  readonly settings: StackSettings;
  /** Pulumi's `encryptionsalt` of the stack file: what its secrets were encrypted with, beside the passphrase. */
  readonly encryptionSalt: string | undefined;
  /** The stack file that says so. */
  readonly settingsPath: string;
  /** Everything of the cluster. */
  readonly clusterDir: string;
  /** What the engine is told; made anew for each command. */
  readonly workDir: string;
  /** Held by a command that changes the stack. */
  readonly lockPath: string;
}

/** Where stack files are: `UNDERSTUDY_STACKS`, else the checkout's `stacks`. */
export const stacksDir = (): string => process.env.UNDERSTUDY_STACKS ?? join(projectDir, 'stacks');

const stackFilePattern = /^Pulumi\.(.+)\.yaml$/;
/** Room for the node names that are made of it: `<stack>-control-plane3`. */
const stackNamePattern = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

export const clusterDirOf = (stack: string): string => join(homeDir(), 'clusters', stack);

const places = (name: string): Pick<Stack, 'clusterDir' | 'workDir' | 'lockPath'> => ({
  clusterDir: clusterDirOf(name),
  workDir: join(homeDir(), 'stacks', name),
  lockPath: join(homeDir(), 'stacks', `${name}.lock`),
});

/** Names of all that have a stack file, whether they are up or not. */
export const knownStacks = async (): Promise<readonly string[]> => {
  try {
    return (await readdir(stacksDir())).flatMap((file) => stackFilePattern.exec(file)?.[1] ?? []);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

const stackFile = z.looseObject({
  config: z.record(z.string(), z.unknown()).default({}),
  encryptionsalt: z.string().optional(),
});

const issueText = (issue: z.core.$ZodIssue): string => {
  const setting = `${settingsNamespace}:${issue.path.join('.')}`;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(stackSettings.shape).join(', ');
    return `there is no setting ${issue.keys.map((key) => `${settingsNamespace}:${key}`).join(', ')} (there are: ${known})`;
  }
  return `${setting}: ${issue.message}`;
};

/**
 * What is ours in the text of a stack file. Settings of other namespaces (Pulumi's, providers') are left alone.
 * @param path for the messages
 * @throws UsageFailure that names each wrong setting
 */
export const parseStackFile = (text: string, path: string): Pick<Stack, 'settings' | 'encryptionSalt'> => {
  const wrong = (got: string): UsageFailure =>
    new UsageFailure({
      tried: `read the settings in ${path}`,
      got,
      next: `mend that file; docs/settings.md lists all settings`,
    });
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw wrong(messageOf(error));
  }
  const file = stackFile.safeParse(document ?? {});
  if (!file.success)
    throw wrong(file.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  const prefix = `${settingsNamespace}:`;
  const ours = Object.entries(file.data.config).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
  );
  const settings = checkedSettings.safeParse(Object.fromEntries(ours));
  if (!settings.success) throw wrong(settings.error.issues.map(issueText).join('; '));
  return { settings: settings.data, encryptionSalt: file.data.encryptionsalt };
};

/**
 * Finds a stack by its name and checks its settings.
 * @throws UsageFailure where there is none of that name, or its settings do not fit
 */
export const loadStack = async (name: string): Promise<Stack> => {
  const known = await knownStacks();
  if (!known.includes(name)) {
    throw new UsageFailure({
      tried: `find stack '${name}'`,
      got: `${stacksDir()} has no Pulumi.${name}.yaml; it has: ${known.join(', ') || 'no stack'}`,
      next: `name one of those, or copy Pulumi.local.yaml to Pulumi.${name}.yaml`,
    });
  }
  if (!stackNamePattern.test(name)) {
    throw new UsageFailure({
      tried: `use stack '${name}'`,
      got: 'its name becomes part of node names: at most 40 lower-case letters, digits and hyphens, a letter first',
      next: 'rename the stack file',
    });
  }
  const settingsPath = join(stacksDir(), `Pulumi.${name}.yaml`);
  const read = parseStackFile((await readFileIfThere(settingsPath)) ?? '', settingsPath);
  return { name, ...read, settingsPath, ...places(name) };
};
