import { messageOf } from '../../common/failure.ts';
import type { ApiClient } from './apiClient.ts';
import { listPages, type ObjectName, positionOf } from './names.ts';
import { sendPatiently, statusMessage } from './patience.ts';

/** How far a migration is. */
export interface Position {
  /** Everything up to this `<namespace>/<name>` is written; empty at the beginning. */
  readonly last: string;
  /** Objects written, or passed over because they were. */
  readonly done: number;
  readonly total: number;
}

export interface RewriteTask {
  /** Of the list: `/api/v1/secrets`. */
  readonly path: string;
  /** Objects up to this position are passed over; empty for none. */
  readonly after: string;
  /** Called after each object. */
  readonly report: (position: Position) => void;
}

/** More requests at once make kube-apiserver no faster on two cores, and wait longer. */
const concurrency = 32;
/** What is left where the API server says that it is too much. */
const fewestWorkers = 2;
/** So many objects that cannot be written are no matter of single objects. */
const maxFailures = concurrency;

const objectPath = (path: string, { namespace, name }: ObjectName): string => {
  if (namespace === undefined) return `${path}/${name}`;
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/namespaces/${namespace}${path.slice(slash)}/${name}`;
};

/**
 * A patch without content: kube-apiserver reads the object, finds that it is stored under an old key, and stores it anew;
 * where the key is the current one it stores nothing. Contents never come here, nor does the answer have them.
 */
const touch = (client: ApiClient, path: string, signal: AbortSignal) =>
  sendPatiently(
    client,
    {
      method: 'PATCH',
      path,
      accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      contentType: 'application/merge-patch+json',
      body: '{}',
    },
    signal,
  );

/** Gone needs no writing, and a conflict means that somebody else just did it. */
const isServed = (status: number): boolean => (status >= 200 && status <= 299) || status === 404 || status === 409;

interface Ticket {
  readonly name: ObjectName;
  /** To be called where it is written; one that never is holds the position back. */
  written(): void;
}

/** Hands out names one by one, in order, to several workers, and knows up to where all are written. */
const openQueue = (
  client: ApiClient,
  { path, after, report }: RewriteTask,
  signal: AbortSignal,
): (() => Promise<Ticket | undefined>) => {
  let done = 0;
  let remaining = 0;
  let last = after;
  /** For each object under way, in order, the position before it. */
  const underWay = new Map<object, string>();

  async function* names(): AsyncGenerator<ObjectName, undefined> {
    let previous = '';
    for await (const page of listPages(client, path, signal)) {
      remaining = page.remaining + page.names.length;
      for (const name of page.names) {
        const position = positionOf(name);
        // Passing over by position, one would be forgotten otherwise, and with its key become unreadable.
        if (position <= previous) throw new Error(`${path} is listed out of order: ${previous}, ${position}`);
        previous = position;
        remaining -= 1;
        if (position > after) yield name;
        else done += 1;
      }
    }
  }
  const source = names();

  return async () => {
    const { value: name } = await source.next();
    if (name === undefined) return undefined;
    const ticket: Ticket = {
      name,
      written: () => {
        underWay.delete(ticket);
        done += 1;
        const [oldest = last] = underWay.values();
        report({ last: oldest, done, total: done + underWay.size + remaining });
      },
    };
    underWay.set(ticket, last);
    last = positionOf(name);
    return ticket;
  };
};

/**
 * Has every object of a resource stored under the current write key, {@link concurrency} at a time.
 * @returns what could not be written, with the reason
 * @throws Error where it cannot go on: the list cannot be read, or too many objects cannot be written
 */
export const rewriteAll = async (
  client: ApiClient,
  task: RewriteTask,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const failures: string[] = [];
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const take = openQueue(client, task, either);
  let working: number = concurrency;
  const work = async (): Promise<void> => {
    const own = attentive(client);
    for (let ticket = await take(); ticket !== undefined; ticket = await take()) {
      const failure = await writeAgain(own, objectPath(task.path, ticket.name), either);
      if (failure === undefined) ticket.written();
      else failures.push(`${positionOf(ticket.name)}: ${failure}`);
      if (failures.length >= maxFailures) throw new Error(summary(failures));
      if (own.wasTooMuch() && working > fewestWorkers) {
        working -= 1;
        return;
      }
    }
  };
  const workers = Array.from({ length: concurrency }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    failing.abort(error);
    await Promise.allSettled(workers);
    throw error;
  }
  return failures;
};

/** Keeps in mind whether the API server has put a request off. */
const attentive = (client: ApiClient): ApiClient & { wasTooMuch(): boolean } => {
  let tooMuch = false;
  return {
    ...client,
    send: async (request) => {
      const answer = await client.send(request);
      tooMuch ||= answer.status === 429;
      return answer;
    },
    wasTooMuch: () => tooMuch,
  };
};

/** @returns why it could not be written */
const writeAgain = async (client: ApiClient, path: string, signal: AbortSignal): Promise<string | undefined> => {
  try {
    const answer = await touch(client, path, signal);
    return isServed(answer.status) ? undefined : statusMessage(answer);
  } catch (thrown) {
    signal.throwIfAborted();
    return messageOf(thrown);
  }
};

/** The first few of what could not be written. */
export const summary = (failures: readonly string[]): string => {
  const shown = failures.slice(0, 3).join('; ');
  return `${failures.length} objects could not be written: ${shown}${failures.length > 3 ? '; …' : ''}`;
};
