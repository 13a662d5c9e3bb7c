import { RE2JS } from 're2js';
import { Failure, messageOf } from '../../common/failure.ts';
import { excludedAnnotation } from '../../common/hollowNodes.ts';

/**
 * What the annotation's value may have at the most. RE2's time grows with the product of the name's length and the
 * expressions' size, where `{1000}` counts as a thousand copies: without limits a list of 2,000 characters costs 25 s a pod.
 */
export const excludedLimits = {
  characters: 2048,
  /** Opening braces. */
  counts: 32,
  /** RE2 and JavaScript: a group that is repeated a number of times (those multiply), or anything 100 times or more. */
  costly: String.raw`(\)|\\E)\{[0-9]|\{([0-9]+,)?[0-9]{3}`,
} as const;

/** RE2 and JavaScript: a repetition that splitting at commas would tear into two expressions, both valid and neither meant. */
export const tornRepetition = String.raw`^[^\n]*\{[0-9]+,[0-9]*\}[^\n]*$`;

/** The longest name that a pod can have; a longer one is not matched, and the API server refuses it. */
export const longestName = 253;

/** What Go, and so CEL's `trim`, takes for white space; JavaScript's own list is another one. */
const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const outerSpace = new RegExp(`^${space}+|${space}+$`, 'g');

/** The expressions of an annotation's value: one a line or, where it has a single line, between commas. */
export const splitExpressions = (text: string): readonly string[] =>
  text
    .split(text.includes('\n') ? '\n' : ',')
    .map((expression) => expression.replaceAll(outerSpace, ''))
    .filter((expression) => expression !== '');

const compile = (expression: string): RE2JS | string => {
  try {
    return RE2JS.compile(expression);
  } catch (error) {
    return `'${expression}': ${messageOf(error)}`;
  }
};

/** Why the annotation cannot have this value, a sentence without its subject for each reason; none if it can. */
export const excludedProblems = (text: string): readonly string[] => {
  const { characters, counts, costly } = excludedLimits;
  const length = [...text].length;
  if (length > characters) return [`has ${length} characters, ${characters} at the most`];
  const given = text.split('{').length - 1;
  if (given > counts) return [`has ${given} counted repetitions, ${counts} at the most`];
  if (new RegExp(tornRepetition).test(text)) return ['has a comma in a repetition: write one expression a line'];
  return splitExpressions(text).flatMap((expression) => {
    if (new RegExp(costly).test(expression)) {
      return [`counts repetitions of a group, or 100 and more of anything, in '${expression}': use * or +`];
    }
    const compiled = compile(expression);
    return typeof compiled === 'string' ? [`has an invalid expression ${compiled}`] : [];
  });
};

/**
 * Whether one of the annotation's expressions is found anywhere in the name. RE2: the time is linear in the name's length,
 * and the answer the one that the policies' CEL gives.
 * A name that is too long for a pod counts as found.
 * @throws Failure where none is found and one does not compile, so that nobody knows; CEL's `exists` fails in that case too.
 */
export const isExcluded = (name: string, text: string): boolean => {
  if (name.length > longestName) return true;
  const compiled = splitExpressions(text).map(compile);
  if (compiled.some((expression) => typeof expression !== 'string' && expression.test(name))) return true;
  const problem = compiled.find((expression) => typeof expression === 'string');
  if (problem === undefined) return false;
  throw new Failure({
    tried: `tell whether ${excludedAnnotation} names '${name}'`,
    got: `an expression is invalid: ${problem}`,
    next: `correct the annotation ${excludedAnnotation} of the namespace`,
  });
};
