/** Life of a certificate, milliseconds since 1970. */
export interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What there is. */
export interface Standing {
  /** Oldest first. */
  readonly authorities: readonly Life[];
  /** Undefined where there is none that can serve: names, key and issuer fit where there is one. */
  readonly serving: Life | undefined;
}

export interface TlsPlan {
  /** Indices of the authorities that stay; the others have expired. */
  readonly kept: readonly number[];
  readonly newAuthority: boolean;
  /** Which one issues a serving certificate, an index into those that stay with the new one as the last; undefined where none is due. */
  readonly issuer: number | undefined;
}

/** So many lives of a serving certificate: an authority that is replaced outlasts what it has signed. */
export const authorityLives = 4;

/** X.509 has whole seconds. */
const roundingMs = 1_000;

/** Two thirds of its life are over, or it would live longer than it is to. */
const isDue = (life: Life, now: number, wantedMs: number): boolean =>
  now >= renewalOf(life) || life.notAfter - now > wantedMs + roundingMs;

/** A certificate is renewed when two thirds of its life are over. */
export const renewalOf = ({ notBefore, notAfter }: Life): number => notBefore + ((notAfter - notBefore) * 2) / 3;

/** How long before it is made a certificate begins: clocks of machines that share a cluster may differ a little. */
export const skewMs = (lifeMs: number): number => Math.min(5 * 60_000, lifeMs / 20);

/** Age of an authority that may sign: it is in the bundle for a while first, until API servers have heard of it. */
const settledMs = (lifeMs: number): number => skewMs(lifeMs * authorityLives) + Math.min(lifeMs / 6, 60_000);

/**
 * What to make anew. An authority is trusted for a while before it signs, and until it expires afterwards, so no API server meets a certificate
 * that it does not trust; only where all have expired there is no such while.
 * @param lifeMs of a serving certificate
 */
export const planTls = ({ authorities, serving }: Standing, lifeMs: number, now: number): TlsPlan => {
  const kept = authorities.flatMap(({ notAfter }, index) => (notAfter > now ? [index] : []));
  const lives = kept.flatMap((index) => authorities[index] ?? []);
  const newest = lives.at(-1);
  const newAuthority = newest === undefined || isDue(newest, now, lifeMs * authorityLives);
  const servingDue = serving === undefined || isDue(serving, now, lifeMs);
  if (!servingDue) return { kept, newAuthority, issuer: undefined };
  const settled = lives.findLastIndex(({ notBefore }) => now - notBefore >= settledMs(lifeMs));
  return { kept, newAuthority, issuer: settled === -1 ? 0 : settled };
};

/** When something is due next, milliseconds since 1970. */
export const nextChange = ({ authorities, serving }: Standing): number =>
  Math.min(
    ...authorities.map(({ notAfter }) => notAfter),
    ...authorities.slice(-1).map(renewalOf),
    ...(serving === undefined ? [] : [renewalOf(serving)]),
  );
