import { expect, test } from 'vitest';
import { pushHint, repositoryIn } from './push.ts';

test('a repository goes below the registry by its own name', () => {
  expect(repositoryIn('quay.io/me', 'understudy.local/kms-plugin')).toBe('quay.io/me/kms-plugin');
});

test.each([
  ['unexpected status code 401 Unauthorized', /secret set registryCredentials/],
  ['DENIED: requested access to the resource is denied', /secret set registryCredentials/],
  ['tls: failed to verify certificate: x509: unknown authority', /SSL_CERT_FILE/],
  ['dial tcp 127.0.0.1:1: connect: connection refused', /reaches it/],
  ['NAME_UNKNOWN: repository not known', /make the repository/],
  ['something else', /its log/],
])('%s', (said, hint) => {
  expect(pushHint(said)).toMatch(hint);
});
