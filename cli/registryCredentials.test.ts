import { describe, expect, it } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { parseRegistryCredentials, registriesOf } from './registryCredentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const hidden = 'hunter2';

describe('parseRegistryCredentials', () => {
  it('keeps what kubelets read, and nothing else', () => {
    const auths = {
      'quay.io/team': { auth: base64(`user:${hidden}:with:colons`) },
      'registry.example:5000': { username: 'user', password: hidden },
      'unpadded.example': { auth: base64('user:pw').replaceAll('=', '') },
    };
    const text = parseRegistryCredentials(JSON.stringify({ auths, credsStore: '', HttpHeaders: { a: 'b' } }));
    expect(JSON.parse(text)).toEqual({ auths });
    expect(registriesOf(text)).toEqual(['quay.io/team', 'registry.example:5000', 'unpadded.example']);
  });

  it.each([
    ['nothing', '', /they are not JSON/],
    ['what is not JSON', `{"auths": ${hidden}}`, /they are not JSON/],
    ['another kind of JSON', JSON.stringify([hidden]), /all: .*expected object/],
    ['no auths', '{}', /auths: .*expected record/],
    ['auths of no registry', '{"auths": {}}', /its auths name no registry/],
    ['an entry that is no object', JSON.stringify({ auths: { 'a.example': hidden } }), /auths\.a\.example: /],
    ['an empty entry', '{"auths": {"a.example": {}}}', /a\.example has neither auth nor both/],
    [
      'a user without a password',
      '{"auths": {"a.example": {"username": "u"}}}',
      /a\.example has neither auth nor both/,
    ],
    [
      'an auth that is not base64',
      JSON.stringify({ auths: { 'a.example': { auth: `user:${hidden}` } } }),
      /a\.example has an auth that is not base64/,
    ],
    [
      'an auth of one word',
      JSON.stringify({ auths: { 'a.example': { auth: base64(hidden) } } }),
      /not the base64 of <user>:<password>/,
    ],
    [
      'an identity token',
      JSON.stringify({ auths: { 'a.example': { auth: base64('u:p'), identitytoken: hidden } } }),
      /identitytoken, which kubelets do not read/,
    ],
    [
      "a desktop's store of credentials",
      JSON.stringify({ auths: { 'a.example': {} }, credsStore: 'desktop' }),
      /leaves credentials to docker-credential-desktop, which kubelets cannot ask/,
    ],
    [
      'credential helpers',
      JSON.stringify({ auths: { 'a.example': { auth: base64('u:p') } }, credHelpers: { 'gcr.io': 'gcloud' } }),
      /docker-credential-gcloud/,
    ],
  ])('refuses %s, without showing it', (_what, text, message) => {
    const parse = (): string => parseRegistryCredentials(text);
    expect(parse).toThrow(message);
    expect(parse).toThrow(UsageFailure);
    expect(parse).not.toThrow(hidden);
  });
});
