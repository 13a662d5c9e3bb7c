import type { VersionQuestion } from './recipe.ts';

const version = /\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/;

/**
 * The version that a program's answer tells, without a leading v and without build metadata (`+k3s1`, `+unknown`),
 * which does not order versions (semver.org, 10). Undefined where the answer is not of the program that was meant:
 * iproute2, for one, has a `bridge` too.
 */
export const versionIn = (answer: string, says: VersionQuestion['says']): string | undefined =>
  says.every((text) => answer.includes(text))
    ? version.exec(answer.slice(answer.indexOf(says[0]) + says[0].length))?.[0]
    : undefined;

/** Negative where `a` is the older release, 0 where both are the same; missing parts count as 0. */
export const compareVersions = (a: string, b: string): number => {
  const parts = (text: string): readonly number[] => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};
