import { expect, it } from 'vitest';
import { newSecrets, openSecrets } from './pulumiSecrets.ts';

/** By `pulumi config set --secret` of Pulumi 3.246.0. */
const official = {
  passphrase: 'a passphrase',
  salt: 'v1:yrGXf8sN4sY=:v1:++f3MEJ1Zsj86fyN:OxfLooGACWph1nW2ZwWrumfxnkkeuQ==',
  secure: 'v1:pOf6ePre/AiO7Ro6:nuFaALVGjCZNA/Vkc19RtYrVFx2K6VtNu/LirknE9+a75Vdww4kZByQKBaV/NepApKnVaOl2fg==',
};

it('reads what Pulumi has written, and nothing that was cut short or changed', async () => {
  const secrets = await openSecrets(official.passphrase, official.salt);
  expect(secrets?.decrypt(official.secure)).toBe('{"auths":{"a.example":{"auth":"dTpw"}}}');
  for (const damaged of [
    '',
    'v1',
    official.secure.slice(0, -8),
    official.secure.replace('nuFa', 'nuFb'),
    'v1:AAAA:AA==',
  ]) {
    expect(secrets?.decrypt(damaged), damaged).toBeUndefined();
  }
});

it('reads what it has written itself, each time in other words', async () => {
  const secrets = await newSecrets('ours');
  const words = [secrets.encrypt('grüße'), secrets.encrypt('grüße')];
  expect(new Set(words).size).toBe(2);
  const again = await openSecrets('ours', secrets.salt);
  expect(words.map((secure) => again?.decrypt(secure))).toEqual(['grüße', 'grüße']);
});

it.each([
  ['another passphrase', 'another', official.salt],
  ['a salt of another version', official.passphrase, official.salt.replace('v1', 'v2')],
  ['a salt that was cut short', official.passphrase, official.salt.slice(0, 20)],
])('opens nothing with %s', async (_what, passphrase, salt) => {
  expect(await openSecrets(passphrase, salt)).toBeUndefined();
});
