import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../../common/failure.ts';

// What OpenShift's ci-tools asks of a step registry, at 52352cd19167: the Go types of pkg/api/types.go, read strictly as pkg/load does, and the rules of
// pkg/load/load.go, pkg/validation and cmd/generate-registry-metadata. ci-tools is not pinned and built as other test tools are: not every Go module proxy
// has it.

/** As Go writes durations. */
const duration = z.string().regex(/^(\d+(\.\d+)?(h|m|s|ms))+$/, 'is no duration');
/** A Kubernetes quantity that is more than nothing. */
const quantity = z.string().regex(/^(?=.*[1-9])\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'is no quantity');
const resourceList = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  'ephemeral-storage': quantity.optional(),
});

const parameter = z.strictObject({
  name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  default: z.string().optional(),
  documentation: z.string().optional(),
});

const step = z.strictObject({
  as: z.string().min(1),
  /** A name of Kubernetes'. One of an image stream before a colon is left out: we have none. */
  from: z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
  commands: z.string().min(1),
  resources: z
    .strictObject({ requests: resourceList.optional(), limits: resourceList.optional() })
    .refine(
      ({ requests, limits }) => Object.keys({ ...requests, ...limits }).length > 0,
      'has neither request nor limit',
    ),
  timeout: duration.optional(),
  grace_period: duration.optional(),
  env: z.array(parameter).optional(),
  optional_on_success: z.boolean().optional(),
  best_effort: z.boolean().optional(),
  no_kubeconfig: z.boolean().optional(),
  cli: z.string().optional(),
  run_as_script: z.boolean().optional(),
  documentation: z.string().optional(),
});

const refFile = z.strictObject({ ref: step });
const chainFile = z.strictObject({
  chain: z.strictObject({
    as: z.string().min(1),
    steps: z.array(z.union([z.strictObject({ ref: z.string() }), z.strictObject({ chain: z.string() })])).min(1),
    documentation: z.string().optional(),
    env: z.array(parameter).optional(),
  }),
});
const ownersFile = z.strictObject({ approvers: z.array(z.string()).min(1), reviewers: z.array(z.string()).min(1) });
const metadataFile = z.strictObject({ path: z.string(), owners: ownersFile });

/** The same pattern as ci-tools' own: whoever catches a signal needs time after it. */
const trap = /(^|\W)\s*trap\s*['"]?\w*['"]?\s*\w*/;

interface Found {
  readonly as: string;
  /** Names of refs and chains that it runs. */
  readonly runs: readonly string[];
  readonly problems: readonly string[];
}

const issuesOf = (error: unknown): readonly string[] =>
  error instanceof z.ZodError
    ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    : [messageOf(error)];

const lookAtRef = async (path: string): Promise<Found> => {
  const { ref } = refFile.parse(parse(await readFile(path, 'utf8')));
  const commands = await readFile(join(dirname(path), ref.commands), 'utf8');
  const unused = (ref.env ?? []).filter(({ name }) => !commands.includes(`\${${name}`)).map(({ name }) => name);
  const problems = [
    ...(ref.commands === `${ref.as}-commands.sh` ? [] : [`commands must be in ${ref.as}-commands.sh`]),
    ...(trap.test(commands) && ref.grace_period === undefined
      ? ['its commands trap signals: grace_period is missing']
      : []),
    ...(ref.best_effort === true && ref.timeout === undefined ? ['best_effort without timeout'] : []),
    ...unused.map((name) => `its commands never read ${name}`),
  ];
  return { as: ref.as, runs: [], problems };
};

const lookAtChain = async (path: string): Promise<Found> => {
  const { chain } = chainFile.parse(parse(await readFile(path, 'utf8')));
  const runs = chain.steps.map((item) => ('ref' in item ? `ref ${item.ref}` : `chain ${item.chain}`));
  return { as: chain.as, runs, problems: [] };
};

/** Each component has owners beside it, and metadata that the registry's web page shows, made of them. */
const lookAtOwners = async (root: string, relative: string): Promise<readonly string[]> => {
  const path = join(root, relative);
  const owners = ownersFile.parse(parse(await readFile(join(dirname(path), 'OWNERS'), 'utf8')));
  const text = await readFile(path.replace(/\.yaml$/, '.metadata.json'), 'utf8');
  const metadata = metadataFile.parse(JSON.parse(text));
  // As generate-registry-metadata writes it.
  const expected = JSON.stringify({ path: relative, owners }, null, '\t');
  return text === expected ? [] : [`its metadata is ${JSON.stringify(metadata)}, and should be ${expected}`];
};

const kindOf = (file: string): 'ref' | 'chain' | undefined =>
  file.endsWith('-ref.yaml') ? 'ref' : file.endsWith('-chain.yaml') ? 'chain' : undefined;

const otherFile = /(-commands\.sh|\.metadata\.json)$/;

/** What ci-tools would refuse of the registry below a folder, a line each; nothing where all is well. */
export const problemsOfRegistry = async (root: string): Promise<readonly string[]> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => basename(file) !== 'OWNERS' && !file.endsWith('.md'));
  const components = new Map<string, Found>();
  const problems: string[] = [];
  for (const file of files) {
    const prefix = dirname(file).replaceAll('/', '-');
    if (!basename(file).startsWith(prefix)) problems.push(`${file}: its name must start with ${prefix}`);
    const kind = kindOf(file);
    if (kind === undefined) {
      if (!otherFile.test(file)) problems.push(`${file}: no file of a registry has such a name`);
      continue;
    }
    try {
      const found = await (kind === 'ref' ? lookAtRef : lookAtChain)(join(root, file));
      if (found.as !== prefix || basename(file) !== `${found.as}-${kind}.yaml`) {
        problems.push(`${file}: it is called ${found.as}, and must be called ${prefix}`);
      }
      components.set(`${kind} ${found.as}`, found);
      problems.push(...[...found.problems, ...(await lookAtOwners(root, file))].map((text) => `${file}: ${text}`));
    } catch (error) {
      problems.push(...issuesOf(error).map((text) => `${file}: ${text}`));
    }
  }
  for (const [name, { runs }] of components) {
    problems.push(...runs.filter((other) => !components.has(other)).map((other) => `${name}: there is no ${other}`));
  }
  return components.size === 0 ? ['it has no refs and no chains'] : problems;
};
