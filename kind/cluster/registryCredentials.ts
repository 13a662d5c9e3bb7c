import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

/** Where a kubelet looks for registry credentials, and what tells that they are ours: a file that was mounted there is not. */
const folder = '/var/lib/kubelet';

/** There while a kubelet may still go by an older file: also after a kill between the file and the restart. */
const restart = [
  'touch .understudy-stale',
  '@',
  'tries=0',
  // A node that was just started has no systemd to ask yet.
  'until systemctl restart kubelet; do tries=$((tries + 1)); [ $tries -lt 60 ]; sleep 1; done',
  'rm -f .understudy-stale',
];

const mounted = `${folder}/config.json is a mount: take it out of the setting kind.mounts, or registryCredentials out of the stack`;

const begin = ['set -eu', 'umask 077', `cd ${folder}`];

const changing = (change: readonly string[]): readonly string[] =>
  restart.flatMap((line) => (line === '@' ? change : [line]));

/**
 * The shell program that gives a node the credentials on its standard input. A kubelet goes by what it read for five minutes, so
 * it is restarted where they are new; pods go on.
 */
export const renderGive = (): string =>
  [
    ...begin,
    'cat > .understudy-config.json',
    `if mountpoint -q config.json; then rm .understudy-config.json; echo "${mounted}" >&2; exit 1; fi`,
    'if [ ! -e .understudy-stale ] && cmp -s .understudy-config.json config.json; then rm .understudy-config.json; exit 0; fi',
    ...changing(['touch .understudy-credentials', 'mv .understudy-config.json config.json']),
  ].join('\n');

/** The one that takes away those that were given. */
export const renderTake = (): string =>
  [
    ...begin,
    '[ -e .understudy-credentials ] || exit 0',
    ...changing(['rm -f config.json']),
    'rm .understudy-credentials',
  ].join('\n');

/**
 * Gives all nodes these registry credentials, or none. They go by standard input: arguments are seen by everybody.
 * @param credentials Docker's config.json as text
 */
export const changeCredentials = async (
  engine: EngineName,
  nodes: readonly KindNode[],
  credentials: string | undefined,
): Promise<void> => {
  const script = credentials === undefined ? renderTake() : renderGive();
  await Promise.all(nodes.map(({ name }) => inNode(engine, name, ['sh', '-c', script], credentials)));
};
