import { parseArgs } from 'node:util';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { tcpAddressOf, timeoutOf } from '../common/flagValues.ts';

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

const flagsOf = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'health-interval': { type: 'string', default: '30s' },
        'metrics-addr': { type: 'string' },
        'api-server': { type: 'string', default: 's6' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw usage(messageOf(error));
  }
};

/** One image, two programs: the operator of the cluster, and the installer of a control-plane node. */
const main = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = flagsOf(args);
  const [command, ...rest] = positionals;
  if (rest.length > 0) throw usage(`the words '${rest.join(' ')}' too many`);
  switch (command) {
    case 'operator': {
      const metrics = values['metrics-addr'];
      const settings = {
        healthIntervalMs: timeoutOf('health-interval', values['health-interval']),
        metricsAddress: metrics === undefined ? undefined : tcpAddressOf('metrics-addr', metrics),
      };
      const { operatorMain } = await import('./run/main.ts');
      return operatorMain(settings);
    }
    case 'installer': {
      const { apiServerKinds, installerMain } = await import('./installer/main.ts');
      const kind = apiServerKinds.find((known) => known === values['api-server']);
      if (kind === undefined)
        throw usage(`--api-server=${values['api-server']}, not one of ${apiServerKinds.join(', ')}`);
      return installerMain({ node: variable('NODE_NAME'), address: variable('NODE_IP') }, kind);
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
