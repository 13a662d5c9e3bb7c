import { withEngine } from './engine.ts';
import { exclusively } from './exclusive.ts';
import { type OutputOptions, printResult, progressFor } from './output.ts';
import type { Stack } from './stack.ts';

/** Tells what `up` would change, and changes nothing. */
export const preview = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const progress = progressFor(options);
  await exclusively(stack, progress, () =>
    withEngine(stack, progress, async (engine) => {
      const { changes, result } = await engine.run(
        `plan stack ${stack.name}`,
        (onEvent) => engine.stack.preview({ onEvent }),
        'plan',
      );
      const text = changes === 0 ? `'up' would change nothing.` : `'up' would change ${changes} resources.`;
      printResult(options, { stack: stack.name, changes, summary: result.changeSummary }, text);
    }),
  );
};

/** Compares the engine's state with the cluster and takes over what it finds there. */
export const refresh = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const progress = progressFor(options);
  await exclusively(stack, progress, () =>
    withEngine(stack, progress, async (engine) => {
      const { changes } = await engine.run(`refresh stack ${stack.name}`, (onEvent) =>
        engine.stack.refresh({ onEvent }),
      );
      printResult(
        options,
        { stack: stack.name, changes },
        `${changes} resources differed; the state now says what is there.`,
      );
    }),
  );
};
