import type { Socket } from 'node:net';

/** What one connection sends, put together into one write per turn of the event loop: a system call is the dearest step. */
export class Outbox {
  readonly #socket: Socket;
  #frames: Uint8Array[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (this.#frames.length === 0) process.nextTick(() => this.flush());
    this.#frames.push(...frames);
  }

  flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    if (frames.length === 0 || !this.#socket.writable) return;
    const taken = this.#socket.write(Buffer.concat(frames));
    // A client that asks and does not read answers is not read from either.
    if (!taken && !this.#socket.isPaused()) {
      this.#socket.pause();
      this.#socket.once('drain', () => this.#socket.resume());
    }
  }
}
