import { once } from 'node:events';
import { Failure, messageOf, UsageFailure } from '../common/failure.ts';
import { createLog } from '../common/log.ts';
import { parseFlags, type Settings, usage } from './flags.ts';
import { startPlugin } from './plugin.ts';

/** Serves until the process is told to end; the exit code. */
const serve = async (settings: Settings): Promise<number> => {
  const log = createLog(settings.logLevel);
  const told = Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal).then(() => signal)));
  try {
    const plugin = await startPlugin(settings, log);
    log.info({ signal: await told }, 'draining');
    await plugin.stop();
    log.info('ended');
    return 0;
  } catch (error) {
    if (error instanceof UsageFailure) throw error;
    if (error instanceof Failure) {
      const { tried, got, next } = error.parts;
      log.fatal({ got, next }, `could not ${tried}`);
    } else {
      log.fatal({ err: error }, messageOf(error));
    }
    return 1;
  }
};

const main = async (): Promise<number> => {
  try {
    const settings = parseFlags(process.argv.slice(2));
    if (settings !== 'help') return await serve(settings);
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
};

process.exitCode = await main();
