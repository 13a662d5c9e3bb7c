import { UsageFailure } from '../common/failure.ts';

const usage = (got: string): UsageFailure =>
  new UsageFailure({ tried: 'start', got, next: "give one of the commands 'operator' and 'installer'" });

const variable = (name: string): string => {
  const value = process.env[name];
  if (!value) {
    const next = 'set it by the downward API: spec.nodeName, status.hostIP';
    throw new UsageFailure({ tried: 'start the installer', got: `variable ${name} is not set`, next });
  }
  return value;
};

/** One image, two programs: the operator of the cluster, and the installer of a control-plane node. */
const main = async (args: readonly string[]): Promise<void> => {
  const [command, ...rest] = args;
  if (rest.length > 0) throw usage(`the words '${rest.join(' ')}' too many`);
  switch (command) {
    case 'operator': {
      const { operatorMain } = await import('./run/main.ts');
      return operatorMain();
    }
    case 'installer': {
      const { installerMain } = await import('./installer/main.ts');
      return installerMain({ node: variable('NODE_NAME'), address: variable('NODE_IP') });
    }
    default:
      throw usage(command === undefined ? 'no command' : `the command '${command}'`);
  }
};

try {
  await main(process.argv.slice(2));
  // What is still open, such as a connection that is being made, keeps nobody.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof UsageFailure ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageFailure ? 2 : 1);
}
