import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { bundleOf, lifeOf, noMaterial, readMaterial, renderMaterial, renewMaterial } from './material.ts';

const hour = 3_600_000;
const wish = { names: ['admission-webhook.hollow-nodes.svc', '127.0.0.1'], lifeMs: 720 * hour };
const now = Date.UTC(2026, 0, 1);

it('makes an authority and a certificate of these names and this life, which come back from the Secret', async () => {
  const material = await renewMaterial(noMaterial, wish, now);
  const serving = new X509Certificate(material.serving?.certificate ?? '');
  expect(serving.subjectAltName).toBe('DNS:admission-webhook.hollow-nodes.svc, IP Address:127.0.0.1');
  expect(serving.verify(new X509Certificate(bundleOf(material)).publicKey)).toBe(true);
  expect(serving.validToDate.getTime()).toBe(now + wish.lifeMs);
  expect(readMaterial(renderMaterial(material))).toEqual(material);
  expect(await renewMaterial(material, wish, now + 479 * hour)).toBe(material);
});

it('renews a certificate after two thirds of its life, and one of other names at once', async () => {
  const material = await renewMaterial(noMaterial, wish, now);
  const renewed = await renewMaterial(material, wish, now + 481 * hour);
  expect(renewed.authorities).toEqual(material.authorities);
  expect(renewed.serving).not.toEqual(material.serving);
  const renamed = await renewMaterial(material, { ...wish, names: ['other'] }, now);
  expect(new X509Certificate(renamed.serving?.certificate ?? '').subjectAltName).toBe('DNS:other');
});

it('has both authorities trusted while one takes over from the other', async () => {
  let material = await renewMaterial(noMaterial, wish, now);
  const [old] = material.authorities;
  for (const hours of [481, 962, 1443, 1924]) material = await renewMaterial(material, wish, now + hours * hour);
  expect(material.authorities).toHaveLength(2);
  expect(material.authorities[0]).toEqual(old);
  const signedBy = (i: number) =>
    new X509Certificate(material.serving?.certificate ?? '').verify(
      new X509Certificate(material.authorities[i]?.certificate ?? '').publicKey,
    );
  expect([signedBy(0), signedBy(1)]).toEqual([true, false]);
  material = await renewMaterial(material, wish, now + 2405 * hour);
  expect([signedBy(0), signedBy(1)]).toEqual([false, true]);
  material = await renewMaterial(material, wish, now + 2881 * hour);
  expect(bundleOf(material)).not.toContain(old?.certificate);
});

it.each(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])('mends a Secret whose %s is damaged', async (field) => {
  const texts = renderMaterial(await renewMaterial(noMaterial, wish, now));
  for (const damaged of [undefined, '', 'no PEM', texts[field]?.slice(0, 80)]) {
    const material = await renewMaterial(readMaterial({ ...texts, [field]: damaged }), wish, now);
    const serving = new X509Certificate(material.serving?.certificate ?? '');
    expect(serving.verify(new X509Certificate(material.authorities.at(-1)?.certificate ?? '').publicKey)).toBe(true);
    expect(lifeOf({ certificate: material.serving?.certificate ?? '', key: '' }).notAfter).toBe(now + wish.lifeMs);
  }
});
