import { describe, expect, it } from 'vitest';
import { forBooting, identityConfiguration } from './encryptionConfiguration.ts';

/** As OpenShift's controllers write it. */
const written = JSON.stringify({
  kind: 'EncryptionConfiguration',
  apiVersion: 'apiserver.config.k8s.io/v1',
  resources: ['configmaps', 'secrets'].map((resource) => ({
    resources: [resource],
    providers: [
      {
        kms: {
          apiVersion: 'v2',
          name: `2_${resource}`,
          endpoint: 'unix:///var/run/kmsplugin/kms-2.sock',
          timeout: '10s',
        },
      },
      { aescbc: { keys: [{ name: '1', secret: 'dGltZW91dA==' }] } },
      { identity: {} },
    ],
  })),
});

describe('the first file of a cluster', () => {
  it('has an entry for each resource, and encrypts nothing', () => {
    expect(JSON.parse(identityConfiguration).resources).toEqual([
      { resources: ['secrets'], providers: [{ identity: {} }] },
      { resources: ['configmaps'], providers: [{ identity: {} }] },
    ]);
    expect(forBooting(identityConfiguration)).toBe(identityConfiguration);
  });
});

describe('the file of a box that starts again', () => {
  it('differs in the timeouts of KMS providers alone', () => {
    expect(forBooting(written)).toBe(written.replaceAll('"timeout":"10s"', '"timeout":"200ms"'));
    expect(forBooting(written)).not.toBe(written);
    expect(forBooting(forBooting(written))).toBe(forBooting(written));
  });

  it('keeps spaces, line ends and what only looks like a timeout', () => {
    const spaced = JSON.stringify(JSON.parse(written), null, 2);
    expect(forBooting(`${spaced}\n`)).toBe(`${spaced.replaceAll('"timeout": "10s"', '"timeout": "200ms"')}\n`);
    const named = JSON.stringify({ name: '"timeout":"10s"', key: 'timeout: 10s' });
    expect(forBooting(named)).toBe(named);
  });
});
