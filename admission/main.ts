import { endSignal } from '../common/endSignal.ts';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { createLog } from '../common/log.ts';
import { parseFlags, usage } from './flags.ts';
import { runAdmission } from './run.ts';

const main = async (): Promise<number> => {
  try {
    const settings = parseFlags(process.argv.slice(2));
    if (settings === 'help') process.stdout.write(usage);
    else await runAdmission(settings, createLog(settings.logLevel), endSignal());
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return error instanceof UsageFailure ? 2 : 1;
  }
};

// What is still open, such as a watch that is being made, keeps nobody.
process.exit(await main());
