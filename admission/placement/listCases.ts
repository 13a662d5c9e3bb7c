import { excludedLimits } from './excluded.ts';

const { characters, counts } = excludedLimits;

/** Values of the annotation, and a part of the reason why one is refused. */
export const listCases: readonly { readonly list: string; readonly problem?: string }[] = [
  { list: '' },
  { list: '^web-, db$' },
  { list: '^[a-z]{2,3}$\n^x{5}' },
  { list: '(a+)+$' },
  { list: '(?P<name>a)|\\d\\Q.*\\E' },
  { list: 'x'.repeat(characters) },
  { list: 'x'.repeat(characters + 1), problem: `has ${characters + 1} characters, ${characters} at the most` },
  { list: Array.from({ length: counts }, () => 'x{2}').join(',') },
  {
    list: Array.from({ length: counts + 1 }, () => 'x{2}').join(','),
    problem: `has ${counts + 1} counted repetitions, ${counts} at the most`,
  },
  { list: 'x{99}' },
  { list: 'a,x{100}', problem: "counts repetitions of a group, or 100 and more of anything, in 'x{100}': use * or +" },
  { list: 'x{0,100}\n', problem: 'of anything' },
  { list: '^(a?a?){50}$', problem: "of a group, or 100 and more of anything, in '^(a?a?){50}$'" },
  { list: '^(a?a?)\\Q\\E{50}$', problem: 'of a group' },
  { list: 'ok,a(', problem: 'error parsing regexp: missing closing ): `a(`' },
  { list: '*', problem: 'error parsing regexp: missing argument to repetition operator: `*`' },
  { list: '[z-a]', problem: 'error parsing regexp: invalid character class range: `z-a`' },
  { list: 'a\\', problem: 'error parsing regexp: trailing backslash at end of expression' },
  { list: '(a)\\1', problem: 'error parsing regexp: invalid escape sequence: `\\1`' },
  { list: '^(?!web)', problem: 'error parsing regexp: invalid or unsupported Perl syntax: `(?!`' },
  { list: 'x**', problem: 'error parsing regexp: invalid nested repetition operator: `**`' },
  { list: '^[a-z]{2,3}$', problem: 'has a comma in a repetition: write one expression a line' },
  { list: 'web,x{2,}', problem: 'has a comma in a repetition' },
];
