import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { Failure, messageOf } from '../../common/failure.ts';

/** What kube-apiserver reports of a configuration that it has loaded: lower-case hex sha256 of the file. */
export const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');

const endpointPattern = /^unix:\/\/\/var\/run\/kmsplugin\/kms-([1-9]\d{0,8})\.sock$/;

interface Configuration {
  readonly resources?: readonly {
    readonly providers?: readonly { readonly kms?: { readonly endpoint?: string } }[];
  }[];
}

/**
 * Numbers of the KMS keys that an EncryptionConfiguration names, in order.
 * @throws Failure where it is none.
 */
export const kmsKeysOf = (content: string): readonly number[] => {
  const failure = (got: string, cause?: unknown): Failure =>
    new Failure({ tried: 'read the encryption configuration', got, next: 'see secret encryption-config', cause });
  let configuration: Configuration | null;
  try {
    configuration = parse(content) as Configuration | null;
  } catch (cause) {
    throw failure(messageOf(cause), cause);
  }
  const resources = configuration?.resources;
  if (!Array.isArray(resources)) throw failure('it has no list of resources');
  const endpoints = (resources as NonNullable<Configuration['resources']>).flatMap(({ providers = [] }) =>
    providers.flatMap(({ kms }) => (kms?.endpoint === undefined ? [] : [kms.endpoint])),
  );
  const numbers = endpoints.flatMap((endpoint) => {
    const number = endpointPattern.exec(endpoint)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
};
