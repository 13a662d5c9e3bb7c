/** The socket that a KMS plugin serves a key at. */
export interface PluginSocket {
  /** The number in its name, as it stands there. */
  readonly keyID: string;
  /** Absolute. */
  readonly path: string;
}

/** @see library-go `pkg/operator/encryption/kms/health/cmd.go`, kmsSocketPattern */
const socketPattern = /^unix:\/\/(\/var\/run\/kmsplugin\/kms-(\d+)\.sock)$/;
const wanted = 'unix:///var/run/kmsplugin/kms-<number>.sock';

/** What is wrong with a list of endpoints; undefined for nothing. */
export const socketsProblem = (endpoints: readonly string[]): string | undefined => {
  const bad = endpoints.find((endpoint) => !socketPattern.test(endpoint));
  if (bad !== undefined) return `'${bad}' is not ${wanted}`;
  const twice = endpoints.find((endpoint, i) => endpoints.indexOf(endpoint) !== i);
  return twice === undefined ? undefined : `'${twice}' is there twice`;
};

/** @param endpoints without a problem */
export const socketsOf = (endpoints: readonly string[]): readonly PluginSocket[] =>
  endpoints.flatMap((endpoint) => {
    const [, path = '', keyID = ''] = socketPattern.exec(endpoint) ?? [];
    return path === '' ? [] : [{ keyID, path }];
  });
