import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js';

/** What the Automation API asks after each operation, a process each, and nobody here wants to know. */
const unasked: Readonly<Record<string, string>> = { 'stack output': '{}', 'stack history': '[]' };

/** How the Automation API calls its command; not in its published types. */
interface Runner {
  run(args: readonly string[], ...rest: readonly unknown[]): Promise<object>;
}

/** The engine's command line, without the questions of {@link unasked}: 0.6 s less for each operation. */
export const withoutQuestions = (command: PulumiCommand): PulumiCommand => {
  const { run } = command as PulumiCommand & Runner;
  const answerOrRun: Runner['run'] = (args, ...rest) => {
    const stdout = unasked[args.slice(0, 2).join(' ')];
    return stdout === undefined ? run.call(command, args, ...rest) : Promise.resolve({ stdout, stderr: '', code: 0 });
  };
  return Object.create(command, { run: { value: answerOrRun } });
};
