import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, Option } from 'commander';
import { EndingFailure, hasCode, UsageFailure } from '../common/failure.ts';
import type { DashboardOptions } from './dashboard.ts';
import type { WaitOptions } from './encrypt.ts';
import type { FaultOptions } from './encryption/faults.ts';
import type { EncryptionMode } from './encryption/state.ts';
import { exitCodeOf, type OutputOptions, printError } from './output.ts';
import { loadStack, type Stack } from './stack.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const json = new Option('--json', 'print one JSON document on standard output, and nothing else there');
const quiet = new Option('--quiet', 'no progress lines');

const program = new Command('understudy')
  .description('Stand-ins for the infrastructure that Kubernetes and OpenShift tests need.')
  .version(version)
  .enablePositionalOptions()
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
A stack is a file stacks/Pulumi.<stack>.yaml; without a name it is 'local'.

Exit codes: 0 done, 1 failed (verify: not encrypted; status: not ready), 2 asked wrongly.

Environment:
  UNDERSTUDY_HOME     clusters, engine state, passphrase (default ~/.understudy)
  UNDERSTUDY_CACHE    programs and images (default ~/.cache/understudy)
  UNDERSTUDY_STACKS   folder of stack files (default: the checkout's stacks/)`,
  );

interface OfStack {
  readonly stack: string;
}

/** A command on one stack. Its code is loaded only when it is run. */
const stackCommand = <O>(
  name: string,
  description: string,
  load: () => Promise<(stack: Stack, options: O) => Promise<void>>,
): Command =>
  program
    .command(name)
    .description(description)
    .argument('[stack]', 'which stack', 'local')
    .action(async (stack: string, options: O) => (await load())(await loadStack(stack), options));

stackCommand('up', 'make the stack be as its settings say', async () => (await import('./up.ts')).up)
  .option('--timeout <duration>', 'how long it may take; as long as each of its steps where left out')
  .addOption(json)
  .addOption(quiet);
stackCommand('down', 'remove everything of the stack', async () => (await import('./down.ts')).down)
  .addOption(json)
  .addOption(quiet);
stackCommand('preview', "tell what 'up' would change", async () => (await import('./preview.ts')).preview)
  .addOption(json)
  .addOption(quiet);
stackCommand(
  'refresh',
  "take what is in the cluster over into the engine's state",
  async () => (await import('./preview.ts')).refresh,
)
  .addOption(json)
  .addOption(quiet);
stackCommand('status', 'tell how the stack is', async () => (await import('./status.ts')).status)
  .addOption(json)
  .option('-w, --watch', 'go on until Ctrl-C');
program
  .command('dashboard')
  .description('serve a page that shows encryption, keys and the health of KMS plugins, now and over time')
  .argument('[stacks...]', 'which stacks; all that are up where left out')
  .option('--port <number>', 'of this machine alone; 0 for any that is free', '8088')
  .addOption(json)
  .action(async (stacks: readonly string[], options: DashboardOptions) =>
    (await import('./dashboard.ts')).dashboard(stacks, options),
  );
stackCommand(
  'verify',
  'read raw etcd and prove the encryption',
  async () => (await import('./verify.ts')).verify,
).addOption(json);
stackCommand(
  'kubeconfig',
  "print an administrator's kubeconfig",
  async () => (await import('./kubeconfig.ts')).kubeconfig,
).option('--path', 'print the path of its file instead');

const timeout = new Option('--timeout <duration>', 'how long to wait until everything is written again').default('10m');

const modes = ['KMS', 'aescbc', 'aesgcm', 'identity'];

program
  .command('encrypt')
  .description('ask for a mode of encryption, and wait until everything is stored so')
  .addArgument(new Argument('<mode>').choices(modes))
  .argument('[stack]', 'which stack', 'local')
  .addOption(timeout)
  .addOption(json)
  .addOption(quiet)
  .action(async (mode: EncryptionMode, stack: string, options: WaitOptions) =>
    (await import('./encrypt.ts')).encrypt(await loadStack(stack), mode, options),
  );
stackCommand(
  'migrate-provider',
  'move from one KMS to another, or to another key of it',
  async () => (await import('./encrypt.ts')).migrateProvider,
)
  .option('--vault-address <url>', 'https address of the other KMS')
  .option('--key-path <path>', '<mount>/keys/<name> of the other key; without any option the next one')
  .addOption(timeout)
  .addOption(json)
  .addOption(quiet);
stackCommand(
  'rotate',
  'give a KMS key a new key-encryption key, and wait until everything is stored under it',
  async () => (await import('./rotate.ts')).rotate,
)
  .option('--key <number>', 'which key; the write key where left out')
  .addOption(timeout)
  .addOption(json)
  .addOption(quiet);

const secret = program.command('secret').description('settings that no file may hold in plain text');
secret
  .command('set')
  .description('encrypt what comes on standard input, and write it into the stack file')
  .addArgument(new Argument('<setting>').choices(['registryCredentials']))
  .argument('[stack]', 'which stack', 'local')
  .addOption(json)
  .action(async (_setting: 'registryCredentials', stack: string, options: OutputOptions) =>
    (await import('./secretSet.ts')).setRegistryCredentials(await loadStack(stack), options),
  );

const ofStack = new Option('--stack <name>', 'which stack').default('local');
const fault = program.command('fault').description('make the KMS behind the plugins fail, for tests');
fault
  .command('set')
  .description("make it fail until '--for' is over or the fault is cleared; docs/faults.md lists the kinds")
  .argument('<kind>', 'latency, hang, error, …')
  .addOption(ofStack)
  .option('--key <number>', 'of this key only; 0 is the plugin without a key number')
  .option('--node <name>', 'on this control-plane node only')
  .option('--for <duration>', 'how long: 60s, 10m')
  .option('--method <method>', 'of status, encrypt or decrypt only')
  .option('--milliseconds <count>', 'latency: how late')
  .option('--per-second <count>', 'rate-limit: how many calls are answered')
  .option('--code <code>', "error: gRPC's name of a code")
  .option('--message <text>', 'error: its text')
  .option('--name <name>', 'to clear it by; a fault of that name is replaced')
  .addOption(json)
  .addOption(quiet)
  .action(async (kind: string, { stack, ...options }: FaultOptions & OutputOptions & OfStack) =>
    (await import('./fault.ts')).faultSet(await loadStack(stack), kind, options),
  );
fault
  .command('list')
  .description('print the faults that are set')
  .addOption(ofStack)
  .addOption(json)
  .action(async ({ stack, ...options }: OutputOptions & OfStack) =>
    (await import('./fault.ts')).faultList(await loadStack(stack), options),
  );
fault
  .command('clear')
  .description('end a fault, or all of them')
  .argument('[name]', 'which one; all where left out')
  .addOption(ofStack)
  .addOption(json)
  .addOption(quiet)
  .action(async (name: string | undefined, { stack, ...options }: OutputOptions & OfStack) =>
    (await import('./fault.ts')).faultClear(await loadStack(stack), name, options),
  );

program
  .command('nodes')
  .description('change the hollow nodes of a stack')
  .command('scale')
  .description("write a group's number of nodes into the stack file, and bring the stack up")
  .argument('<group>', 'name of the group')
  .argument('<count>', 'how many nodes it is to have')
  .addOption(ofStack)
  .addOption(json)
  .addOption(quiet)
  .action(async (group: string, count: string, { stack, ...options }: OutputOptions & OfStack) =>
    (await import('./nodes.ts')).scale(await loadStack(stack), group, count, options),
  );

program
  .command('logs')
  .description('print the log of a component: kube-apiserver, etcd, kubelet, …, kms-plugin, …')
  .argument('<component>')
  .argument('[stack]', 'which stack', 'local')
  .option('--node <name>', 'of this node only')
  .option('-f, --follow', 'go on as it grows')
  .option('-n, --lines <count>', 'how many of the last lines', '100')
  .action(async (component: string, stack: string, options) =>
    (await import('./logs.ts')).logs(await loadStack(stack), component, options),
  );

program
  .command('kubectl')
  .description("run the toolchain's kubectl on the stack, with all that follows as its arguments")
  .argument('[args...]')
  .option('--stack <name>', 'which stack', 'local')
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action(async (args: readonly string[], { stack }: { readonly stack: string }) =>
    (await import('./kubectl.ts')).kubectl(await loadStack(stack), args),
  );

program
  .command('doctor')
  .description('tell what this machine lacks and the command that mends it; changes nothing')
  .addOption(json)
  .action(async (options: OutputOptions) => (await import('./doctor.ts')).doctor(options));

stackCommand(
  'toolchain',
  "find, download or build all third-party programs now, as 'up' would",
  async () => (await import('./toolchain.ts')).toolchain,
)
  .addOption(json)
  .addOption(quiet)
  .command('node-image')
  .description('make a node image for kind out of those programs and Debian packages, without a registry')
  .addOption(json)
  .addOption(quiet)
  .action(async (options: OutputOptions) => (await import('./nodeImage.ts')).nodeImage(options));

const plumbing = program.command('plumbing', { hidden: true }).description("what the Pulumi program's resources run");
plumbing
  .command('start-cluster <name>')
  .action(async (name: string) => (await import('./plumbing/localCluster.ts')).startLocal(name));
plumbing
  .command('remove-cluster <name>')
  .action(async (name: string) => (await import('./plumbing/localCluster.ts')).removeLocal(name));
plumbing
  .command('start-kind <name>')
  .action(async (name: string) => (await import('./plumbing/kind.ts')).startKind(name));
plumbing
  .command('remove-kind <name>')
  .action(async (name: string) => (await import('./plumbing/kind.ts')).removeKind(name));
plumbing
  .command('load-image <name> <reference> <nodes>')
  .action(async (name: string, reference: string, nodes: string) =>
    (await import('./plumbing/images.ts')).loadImage(name, reference, Number(nodes)),
  );
plumbing
  .command('configure-kms <name>')
  .addArgument(new Argument('[first]').choices(modes))
  .action(async (name: string, first: EncryptionMode | undefined) =>
    (await import('./plumbing/encryption.ts')).configureKms(name, first),
  );
plumbing
  .command('encrypt <name>')
  .addArgument(new Argument('<mode>').choices(modes))
  .action(async (name: string, mode: EncryptionMode) => (await import('./plumbing/encryption.ts')).encrypt(name, mode));

plumbing
  .command('undo-encryption <name>')
  .addArgument(new Argument('<mode>').choices(modes))
  .action(async (name: string, mode: EncryptionMode) =>
    (await import('./plumbing/encryption.ts')).undoEncryption(name, mode),
  );
plumbing
  .command('check-cloud <name>')
  .action(async (name: string) => (await import('./plumbing/cloud.ts')).printChecked(name));
plumbing.command('make-keystore').action(async () => (await import('./plumbing/cloud.ts')).printKeystore());
plumbing
  .command('push-image <reference> <repository>')
  .action(async (reference: string, repository: string) =>
    (await import('./plumbing/images.ts')).pushImageTo(reference, repository),
  );

plumbing
  .command('remove-hollow-nodes <name>')
  .action(async (name: string) => (await import('./plumbing/hollowNodes.ts')).removeHollow(name));

/** Commander ends the process and prints errors itself unless told; every command is told the same. */
const throwInstead = (command: Command): void => {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(throwInstead);
};

/** What Commander found wrong with the words of a command line. */
const usageFailure = ({ message }: CommanderError): UsageFailure =>
  new UsageFailure({
    tried: `understand 'understudy ${process.argv.slice(2).join(' ')}'`,
    got: message.replace(/^error: /, '').replaceAll('\n', ' '),
    next: `'understudy --help' tells of all commands: ${program
      .createHelp()
      .visibleCommands(program)
      .map((command) => command.name())
      .join(', ')}`,
  });

// A reader that leaves early (`… | head`, a closed terminal) is no reason to stop halfway; an engine that was killed is.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!hasCode(error, 'EPIPE')) throw error;
    if (process.argv[2] === 'plumbing') process.exit(1);
  });
}
throwInstead(program);
try {
  await program.parseAsync();
} catch (error) {
  // Help and version have been printed, and are no failures of anything.
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const told = error instanceof CommanderError ? usageFailure(error) : error;
    printError(told, process.argv.includes('--json'));
    process.exitCode = exitCodeOf(told);
    if (told instanceof EndingFailure) process.exit();
  }
}
