import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf, UsageFailure } from './failure.ts';

/** Go's flag package, whose style users of upstream's programs know, takes one dash for two. */
const withTwoDashes = (arg: string): string => (/^-[a-z]/.test(arg) ? `-${arg}` : arg);

/** Flags of a service. @throws UsageFailure on one that is none of them, or has no value. */
export const parseGoFlags = <const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) => {
  try {
    return parseArgs({ args: args.map(withTwoDashes), options }).values;
  } catch (cause) {
    throw new UsageFailure({ tried: 'understand the command line', got: messageOf(cause), next: 'see --help', cause });
  }
};
