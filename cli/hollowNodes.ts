import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { z } from 'zod';
import { administratorClient, type ClusterAccess } from '../cluster/access.ts';
import { expectOk } from '../cluster/apiClient.ts';
import { Failure } from '../common/failure.ts';
import { groupLabel } from '../common/hollowNodes.ts';
import { tooLargeFor } from '../common/hollowRoom.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import type { Stack } from './stack.ts';
import { isReady, nodeWithConditions } from './status/cluster.ts';

/** @see https://www.kernel.org/doc/html/latest/filesystems/proc.html#meminfo */
const availableMemory = async (): Promise<number> => {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
};

/** Makes sure that this machine has the memory for new groups. @throws Failure */
export const checkHollowRoom = async ({ name, settings }: Stack): Promise<void> => {
  const got = tooLargeFor(settings.hollowNodes, await availableMemory());
  if (got === undefined) return;
  throw new Failure({
    tried: `simulate the nodes of stack ${name}`,
    got,
    next: 'ask for fewer, or let a group be of engine kwok: a thousand of its nodes take some 100 MB',
  });
};

const nodeList = z.object({ items: z.array(nodeWithConditions) });

/** Polls of thousands of nodes cost the API server something: it is left alone for this many times as long as it took. */
const restFactor = 5;
const withinMs = 600_000;

/** Waits until all hollow nodes that a stack asks for are there and Ready, and none besides. @returns how many those are */
export const waitForHollowNodes = async (stack: Stack, access: ClusterAccess, progress: Progress): Promise<number> => {
  const wanted = stack.settings.hollowNodes.reduce((sum, { count }) => sum + count, 0);
  const api = administratorClient(access);
  let restUntil = 0;
  let told = performance.now();
  const look = async (): Promise<true | undefined> => {
    if (performance.now() < restUntil) return undefined;
    const began = performance.now();
    const path = `/api/v1/nodes?labelSelector=${encodeURIComponent(groupLabel)}&resourceVersion=0`;
    const { items } = nodeList.parse(JSON.parse(expectOk(await api.ask('GET', path), 'list hollow nodes').body));
    const ready = items.filter(({ status }) => isReady(status.conditions)).length;
    restUntil = performance.now() + restFactor * (performance.now() - began);
    if (items.length === wanted && ready === wanted) return true;
    if (performance.now() - told > 5_000) {
      progress.note(`${ready} of ${wanted} hollow nodes Ready`);
      told = performance.now();
    }
    throw new Error(`${items.length} are there and ${ready} are Ready, of ${wanted} that are wanted`);
  };
  try {
    const next = `'understudy logs hollow-node-controller ${stack.name}' and 'understudy kubectl --stack ${stack.name} get pods -n hollow-nodes' tell why`;
    await waitFor(look, { what: 'all hollow nodes Ready', timeoutMs: withinMs, next });
    return wanted;
  } finally {
    api.close();
  }
};
