import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import type { BuiltImage } from './build.ts';
import { referenceOf } from './image.ts';
import { indexOf, layoutMarker, readIndex } from './layout.ts';

/** `understudy.local/kms-plugin` below `quay.io/me` is `quay.io/me/kms-plugin`. @param repository without a tag */
export const repositoryIn = (registry: string, repository: string): string => `${registry}/${basename(repository)}`;

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /UNAUTHORIZED|DENIED|401|403|authentication required/i,
    "give credentials that may push there: 'understudy secret set registryCredentials < config.json'",
  ],
  [/x509|certificate/i, 'let SSL_CERT_FILE name the authority of its certificate'],
  [
    /connection refused|no such host|i\/o timeout|no route|deadline exceeded|EOF/i,
    'check understudy:cloud.registry, and that this machine reaches it',
  ],
  [/NAME_UNKNOWN|NAME_INVALID|404/i, 'make the repository there, or check understudy:cloud.registry'],
];

/** What to do about what a registry, or the way to it, said. */
export const pushHint = (said: string): string =>
  hints.find(([pattern]) => pattern.test(said))?.[1] ?? 'check understudy:cloud.registry, and its log';

/** The last line that says what went wrong, without the noise before. */
const reason = (said: string): string =>
  said
    .trimEnd()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-2)
    .join(' ')
    .slice(0, 500);

/** A layout of this image alone, which shares the other's blobs: crane takes a layout of one. */
const writeLayout = async (dir: string, { reference, digest, layoutDir }: BuiltImage): Promise<void> => {
  const manifest = (await readIndex(layoutDir)).find((listed) => referenceOf(listed) === reference);
  if (manifest?.digest !== digest) {
    throw new Failure({
      tried: `read image ${reference}`,
      got: `${layoutDir} does not list it`,
      next: "run 'understudy up', which builds it",
    });
  }
  await mkdir(dir);
  await symlink(join(layoutDir, 'blobs'), join(dir, 'blobs'));
  await writeFile(join(dir, 'oci-layout'), layoutMarker);
  await writeFile(join(dir, 'index.json'), indexOf([manifest]));
};

/**
 * Pushes an image; what the registry has already is not sent. A registry at a loopback address is spoken to without TLS.
 * @param crane path of that program
 * @param repository without a tag, as {@link repositoryIn} has it
 * @returns `<repository>@<digest>`
 * @throws Failure with what the registry said
 */
export const pushImage = async (
  crane: string,
  image: BuiltImage,
  repository: string,
  credentials: string | undefined,
): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'understudy-push-'));
  try {
    await writeLayout(join(dir, 'image'), image);
    const config = { DOCKER_CONFIG: join(dir, 'docker') };
    if (credentials !== undefined) {
      await mkdir(config.DOCKER_CONFIG, { mode: 0o700 });
      await writeFile(join(config.DOCKER_CONFIG, 'config.json'), credentials, { mode: 0o600 });
    }
    // The tag keeps the image there; who pulls it names the digest.
    const tag = `${repository}:${image.digest.slice('sha256:'.length).slice(0, 12)}`;
    const env = { ...process.env, ...(credentials !== undefined && config) };
    const { code, stdout, stderr } = await tryExec(crane, ['push', join(dir, 'image'), tag], { env });
    const pushed = `${repository}@${image.digest}`;
    if (code === 0 && stdout.trim() === pushed) return pushed;
    const said = code === 0 ? `it has another digest there: ${stdout.trim()}` : reason(stderr || stdout);
    throw new Failure({ tried: `push ${tag}`, got: said, next: pushHint(said) });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
