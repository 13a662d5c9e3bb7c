import { once } from 'node:events';
import { watchStacks } from './dashboard/feed.ts';
import { serveDashboard } from './dashboard/server.ts';
import { stackSource } from './dashboard/stackSource.ts';
import { interruptibly } from './interruption.ts';
import { type OutputOptions, printResult } from './output.ts';
import { loadStack } from './stack.ts';
import { portOption } from './values.ts';

export interface DashboardOptions extends OutputOptions {
  readonly port: string;
}

/**
 * Serves a page that shows stacks as they are and were, until Ctrl-C; changes nothing.
 * @param names all that are up where there is none
 */
export const dashboard = async (names: readonly string[], options: DashboardOptions): Promise<void> => {
  const port = portOption('--port', options.port);
  const stacks = await Promise.all([...new Set(names)].map(loadStack));
  const source = stackSource(stacks.map(({ name }) => name));
  const shown = await source.list();
  await interruptibly(async (interrupted) => {
    // Nobody is left to look for where the page cannot be served.
    const failed = new AbortController();
    const stopped = AbortSignal.any([interrupted, failed.signal]);
    try {
      const server = await serveDashboard(port, watchStacks(source, stopped));
      const which =
        shown.length === 0 ? 'No stack is up yet; those that come up are shown.' : `Shows ${shown.join(', ')}.`;
      printResult(options, { url: server.url, stacks: shown }, `${server.url}\n${which} Ctrl-C ends it.`);
      if (!stopped.aborted) await once(stopped, 'abort');
      server.close();
    } finally {
      failed.abort();
      source.close();
    }
  });
};
