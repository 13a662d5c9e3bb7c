import { expect, it } from 'vitest';
import { authorityLives, type Life, nextChange, planTls, skewMs } from './plan.ts';

const hour = 3_600_000;
const life = 720 * hour;

const madeAt = (now: number, lifeMs: number): Life => ({ notBefore: now - skewMs(lifeMs), notAfter: now + lifeMs });

it('makes both where there is nothing', () => {
  expect(planTls({ authorities: [], serving: undefined }, life, 0)).toEqual({
    kept: [],
    newAuthority: true,
    issuer: 0,
  });
});

it('starts anew where all has expired', () => {
  const standing = { authorities: [madeAt(0, authorityLives * life)], serving: madeAt(0, life) };
  expect(planTls(standing, life, 10 * life)).toEqual({ kept: [], newAuthority: true, issuer: 0 });
});

it('replaces an expired certificate by the same authority', () => {
  const standing = { authorities: [madeAt(0, authorityLives * life)], serving: madeAt(0, life) };
  expect(planTls(standing, life, 2 * life)).toEqual({ kept: [0], newAuthority: false, issuer: 0 });
});

it.each([6_000, 60_000, hour, life])(
  'never serves what is not trusted, for ten years of its own life (%d ms)',
  (lifeMs) => {
    interface Made extends Life {
      readonly by?: Life;
    }
    let authorities: readonly Life[] = [];
    let serving: Made | undefined;
    const start = 1_700_000_000_000;
    let now = start;
    let issued = 0;
    const signers = new Set<Life>();
    while (now < start + 40 * lifeMs) {
      const plan = planTls({ authorities, serving }, lifeMs, now);
      authorities = plan.kept.flatMap((index) => authorities[index] ?? []);
      if (plan.newAuthority) authorities = [...authorities, madeAt(now, authorityLives * lifeMs)];
      const signer = plan.issuer === undefined ? undefined : authorities[plan.issuer];
      if (signer !== undefined) {
        serving = { ...madeAt(now, Math.min(lifeMs, signer.notAfter - now)), by: signer };
        issued += 1;
        signers.add(signer);
        // It has been in the bundle for a while, the very first one excepted.
        if (issued > 1) expect(now - signer.notBefore).toBeGreaterThan(skewMs(authorityLives * lifeMs));
      }
      const next = nextChange({ authorities, serving });
      // Until then both are valid, and the one of the other.
      expect(next).toBeGreaterThan(now);
      expect(serving?.notAfter).toBeGreaterThan(next);
      expect(authorities).toContain(serving?.by);
      expect(serving?.by?.notAfter).toBeGreaterThanOrEqual(serving?.notAfter ?? 0);
      expect(authorities.length).toBeLessThanOrEqual(2);
      now = next;
    }
    expect(signers.size).toBeGreaterThan(10);
  },
);
