import type { Finding } from '../../cli/dashboard/board.ts';
import { type StackSource, watchStacks } from '../../cli/dashboard/feed.ts';
import { type DashboardServer, serveDashboard } from '../../cli/dashboard/server.ts';
import { testStatus, testUnreachable } from '../../cli/dashboard/testStatus.ts';
import type { StackStatus } from '../../cli/status/stackStatus.ts';

/** A real dashboard whose stacks are what a test says. */
export interface ScriptedDashboard {
  readonly url: string;
  /** What the next look at a stack sees; it is there from then on. */
  show(stack: string, status: Partial<StackStatus>): void;
  /** From now on its API server does not answer. */
  lose(stack: string, message: string): void;
  end(stack: string): void;
  /** As if the command had ended: nothing is served, all that was known is forgotten. */
  stop(): void;
  /** On the same port again. */
  start(): Promise<void>;
}

export const startScriptedDashboard = async (): Promise<ScriptedDashboard> => {
  const findings = new Map<string, Finding>();
  const source: StackSource = {
    list: async () => [...findings.keys()],
    look: async (name) => findings.get(name) ?? { kind: 'down', problem: 'gone' },
  };
  let stopping: AbortController;
  const serve = (port: number): Promise<DashboardServer> => {
    stopping = new AbortController();
    return serveDashboard(port, watchStacks(source, stopping.signal));
  };
  let server = await serve(0);
  const { url } = server;
  return {
    url,
    show: (stack, status) => {
      findings.set(stack, { kind: 'seen', status: testStatus({ stack, ...status }), dead: [] });
    },
    lose: (stack, message) => {
      findings.set(stack, { kind: 'seen', status: { ...testUnreachable(message), stack }, dead: [] });
    },
    end: (stack) => findings.delete(stack),
    stop: () => {
      stopping.abort();
      server.close();
    },
    start: async () => {
      server = await serve(Number(new URL(url).port));
    },
  };
};
