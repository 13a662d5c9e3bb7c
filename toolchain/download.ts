import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf, UsageFailure } from '../common/failure.ts';
import { isFullDisk } from './diskSpace.ts';

/** Why something cannot be had by download here; another way may be open. */
export interface Unavailable {
  readonly unavailable: string;
}

export interface Downloader {
  /** A small text file. */
  text(url: string, signal: AbortSignal): Promise<string | Unavailable>;
  /**
   * Fetches `url` to `path`, going on where `path` was left off.
   * @throws Failure where the connection is cut again and again, or the content does not have that SHA-256.
   */
  file(url: string, sha256: string, path: string, signal: AbortSignal): Promise<undefined | Unavailable>;
}

export interface DownloaderOptions {
  /** Base URL below which each host is a folder: `https://mirror.example/dl.k8s.io/release/…`. */
  readonly mirror?: string;
  /** How long a server may take to begin its answer. */
  readonly answerTimeoutMs?: number;
  /** How long a download may stand still before it counts as cut. */
  readonly stallTimeoutMs?: number;
}

/**
 * The mirror that a setting names, if any.
 * @throws UsageFailure where it is no address that can be asked.
 */
export const parseMirror = (setting: string | undefined): string | undefined => {
  if (setting === undefined || setting === '') return undefined;
  if (URL.canParse(setting) && /^https?:$/.test(new URL(setting).protocol)) return setting;
  throw new UsageFailure({
    tried: `use UNDERSTUDY_DOWNLOAD_MIRROR=${setting}`,
    got: 'that is no http or https address',
    next: 'give the address below which each host is a folder, such as https://mirror.example/downloads',
  });
};

/** The address of `url` at a mirror. */
export const mirrored = (url: string, mirror: string | undefined): string => {
  if (mirror === undefined) return url;
  const { host, pathname } = new URL(url);
  return `${mirror.replace(/\/+$/, '')}/${host}${pathname}`;
};

const attempts = 5;
const pauseBetweenAttemptsMs = 250;

/** The innermost reason of what fetch throws: its own message is only 'fetch failed'. */
const reasonOf = (error: unknown): string => {
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return messageOf(error);
};

export const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** Passes bytes on and calls `stop` when none come for `timeoutMs`. */
const watchStall = (timeoutMs: number, stop: () => void): Transform => {
  let timer = setTimeout(stop, timeoutMs);
  return new Transform({
    transform: (chunk, _encoding, done) => {
      clearTimeout(timer);
      timer = setTimeout(stop, timeoutMs);
      done(null, chunk);
    },
    flush: (done) => {
      clearTimeout(timer);
      done();
    },
    destroy: (error, done) => {
      clearTimeout(timer);
      done(error);
    },
  });
};

/** Whether each host answers is found out once, by the first request to it, and holds for the downloader's life. */
export const createDownloader = (options: DownloaderOptions = {}): Downloader => {
  const { mirror, answerTimeoutMs = 4_000, stallTimeoutMs = 30_000 } = options;
  const whyUnreachable = new Map<string, Promise<string | undefined>>();

  const request = async (address: string, headers: Record<string, string>, signal: AbortSignal) => {
    const slow = new AbortController();
    const timer = setTimeout(() => slow.abort(new Error(`no answer within ${answerTimeoutMs} ms`)), answerTimeoutMs);
    try {
      // Compressed on the way, an archive would arrive unpacked, with another digest.
      const all = { 'accept-encoding': 'identity', ...headers };
      return await fetch(address, { headers: all, signal: AbortSignal.any([slow.signal, signal]) });
    } finally {
      clearTimeout(timer);
    }
  };

  const reach = async (
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response | Unavailable> => {
    const address = mirrored(url, mirror);
    const { host } = new URL(address);
    const probed = whyUnreachable.get(host);
    const known = probed && (await probed);
    if (known !== undefined) return { unavailable: `${host}: ${known}` };
    const answer = request(address, headers, signal).catch((error: unknown): Unavailable => {
      signal.throwIfAborted();
      return { unavailable: reasonOf(error) };
    });
    if (probed === undefined) {
      const probe = answer.then((got) => ('unavailable' in got ? got.unavailable : undefined));
      whyUnreachable.set(host, probe);
      // An aborted probe is no news of the host; the caller sees the abort by its own request.
      probe.catch(() => whyUnreachable.delete(host));
    }
    const got = await answer;
    if ('unavailable' in got) return { unavailable: `${host}: ${got.unavailable}` };
    return got.ok || got.status === 416 ? got : { unavailable: `${address}: HTTP ${got.status}` };
  };

  /** One attempt; returns why it was cut, or undefined where the answer was read to its end. */
  const readInto = async (
    url: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly cut?: string } | Unavailable> => {
    const have = await sizeOf(path);
    const stalled = new AbortController();
    const either = AbortSignal.any([stalled.signal, signal]);
    const response = await reach(url, have > 0 ? { range: `bytes=${have}-` } : {}, either);
    if ('unavailable' in response) return response;
    // 416: there is nothing after what we have, so it is either whole or wrong; its digest tells.
    if (response.status === 416 || response.body === null) {
      await response.body?.cancel();
      return {};
    }
    const stall = watchStall(stallTimeoutMs, () => stalled.abort(new Error(`no data for ${stallTimeoutMs} ms`)));
    const into = createWriteStream(path, { flags: response.status === 206 ? 'a' : 'w' });
    try {
      await pipeline(Readable.fromWeb(response.body), stall, into);
      return {};
    } catch (error) {
      signal.throwIfAborted();
      if (isFullDisk(error)) throw error;
      return { cut: reasonOf(error) };
    }
  };

  const readWhole = async (url: string, path: string, signal: AbortSignal): Promise<undefined | Unavailable> => {
    let last = '';
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (attempt > 1) await sleep(pauseBetweenAttemptsMs * attempt);
      const result = await readInto(url, path, signal);
      if ('unavailable' in result) {
        if (attempt === 1) return result;
        last = result.unavailable;
      } else {
        if (result.cut === undefined) return undefined;
        last = result.cut;
      }
    }
    throw new Failure({
      tried: `download ${mirrored(url, mirror)}`,
      got: `the connection was cut ${attempts} times, the last time after ${await sizeOf(path)} bytes: ${last}`,
      next: 'run the command again, it goes on from there; where a mirror can be reached, set UNDERSTUDY_DOWNLOAD_MIRROR to it',
    });
  };

  return {
    text: async (url, signal) => {
      const response = await reach(url, {}, signal);
      if ('unavailable' in response) return response;
      try {
        return await response.text();
      } catch (error) {
        return { unavailable: `${url}: ${reasonOf(error)}` };
      }
    },
    file: async (url, sha256, path, signal) => {
      const resumed = (await sizeOf(path)) > 0;
      for (const last of resumed ? [false, true] : [true]) {
        const unavailable = await readWhole(url, path, signal);
        if (unavailable) return unavailable;
        const got = await sha256Of(path);
        if (got === sha256) return undefined;
        await rm(path, { force: true });
        // What an earlier run left may have been spoilt: only a whole download of our own proves the server wrong.
        if (last) {
          throw new Failure({
            tried: `download ${mirrored(url, mirror)}`,
            got: `its SHA-256 is ${got}, but ${sha256} was published for it; nothing of it was kept`,
            next: 'do not use that file; check what stands between this machine and the server (a proxy, a mirror), then run again',
          });
        }
      }
      return undefined;
    },
  };
};
