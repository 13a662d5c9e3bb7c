import { z } from 'zod';
import { UsageFailure } from '../common/failure.ts';

/** What `docker login` and `kubectl create secret docker-registry` write of a registry. */
const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const dockerConfig = z.looseObject({
  auths: z.record(z.string(), entry),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type DockerConfig = z.infer<typeof dockerConfig>;

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/;

/** What the kubelet could not use of an entry: it would pull without credentials, and tell nobody why. */
const entryProblem = ({ auth, username, password, identitytoken }: z.infer<typeof entry>): string | undefined => {
  if (identitytoken) return 'has an identitytoken, which kubelets do not read: log in with a user name and a password';
  if (auth) {
    if (!base64.test(auth)) return 'has an auth that is not base64';
    const isPair = Buffer.from(auth, 'base64').includes(':');
    return isPair ? undefined : 'has an auth that is not the base64 of <user>:<password>';
  }
  return username && password ? undefined : 'has neither auth nor both username and password';
};

const problemOf = ({ auths, credsStore, credHelpers }: DockerConfig): string | undefined => {
  const helpers = [...new Set([...(credsStore ? [credsStore] : []), ...Object.values(credHelpers ?? {})])];
  if (helpers.length > 0) {
    const programs = helpers.map((name) => `docker-credential-${name}`).join(', ');
    return `it leaves credentials to ${programs}, which kubelets cannot ask: write them into auths`;
  }
  if (Object.keys(auths).length === 0) return 'its auths name no registry';
  for (const [registry, one] of Object.entries(auths)) {
    const problem = entryProblem(one);
    if (problem !== undefined) return `${registry} ${problem}`;
  }
  return undefined;
};

/**
 * Checks Docker's config.json as kubelets read it (`DockerConfigJSON` in kubernetes/pkg/credentialprovider), which ignore one that is wrong.
 * @returns JSON of what they read alone: `{"auths": …}`
 * @throws UsageFailure, which shows names of registries and nothing else of the text
 */
export const parseRegistryCredentials = (text: string): string => {
  const wrong = (got: string): UsageFailure =>
    new UsageFailure({
      tried: 'read the registry credentials',
      got,
      next: "run 'understudy secret set registryCredentials < config.json' with Docker's config.json; docs/settings.md has an example",
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The error would quote the text.
    throw wrong('they are not JSON');
  }
  const config = dockerConfig.safeParse(json);
  if (!config.success) {
    throw wrong(config.error.issues.map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`).join('; '));
  }
  const problem = problemOf(config.data);
  if (problem !== undefined) throw wrong(problem);
  return JSON.stringify({ auths: config.data.auths });
};

/** The registries that checked credentials are for. */
export const registriesOf = (credentials: string): readonly string[] =>
  Object.keys((JSON.parse(credentials) as DockerConfig).auths);
