import { expect, it } from 'vitest';
import { withSecret } from './secretSet.ts';
import { parseStackFile } from './stack.ts';

const file = `# Ours.
config:
  understudy:platform: local
  # Rather many.
  understudy:workers: 3
`;

it('puts a secret into a stack file as Pulumi would, and leaves the rest', () => {
  const once = withSecret(file, 'registryCredentials', 'v1:a:b', 'v1:salt');
  expect(once).toBe(`${file}  understudy:registryCredentials:\n    secure: v1:a:b\nencryptionsalt: v1:salt\n`);
  expect(parseStackFile(once, 'x')).toMatchObject({
    settings: { workers: 3, registryCredentials: { secure: 'v1:a:b' } },
    encryptionSalt: 'v1:salt',
  });
});

it('replaces a secret that is there', () => {
  const once = withSecret(file, 'registryCredentials', 'v1:a:b', 'v1:salt');
  expect(withSecret(once, 'registryCredentials', 'v1:c:d', 'v1:salt')).toBe(once.replace('v1:a:b', 'v1:c:d'));
});
