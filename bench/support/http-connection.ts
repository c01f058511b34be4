/**
 * One keep-alive connection with at most one request in flight, on bare sockets.
 *
 * A general HTTP client costs 50 to 100 us a request, which the server under test would miss: the generator runs on
 * the same cores. Here nothing is allocated that is not needed, and all connections read into one buffer.
 */
import { connect, type Socket } from 'node:net';
import { reasonOf } from './bench-error.ts';
import { ResponseParser } from './response-parser.ts';

/** Shared by all connections: each read is parsed before the next one happens. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

export interface ConnectionOwner {
  /** The connection is free again, unless `response.isLast`. */
  answered(connection: HttpConnection, response: ResponseParser): void;
  /** Called once, whether the server closed it, it broke or it was never made; not after `close`. */
  lost(connection: HttpConnection, reason: string): void;
}

export class HttpConnection {
  /** A request is in flight. */
  isBusy = false;
  /** Monotonic ms, of the last answer. */
  idleSinceMs = 0;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #parser = new ResponseParser();
  #isOver = false;

  constructor(port: number, owner: ConnectionOwner) {
    this.#owner = owner;
    const onread = {
      buffer: READ_BUFFER,
      callback: (length: number) => this.#receive(READ_BUFFER.subarray(0, length)),
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.on('error', (error) => this.#lose(reasonOf(error)));
    this.#socket.on('close', () => this.#lose('the server closed the connection'));
  }

  /** May be called before the connection is made. The bytes must not change until the answer is there. */
  send(request: Buffer): void {
    this.isBusy = true;
    this.#socket.write(request);
  }

  /** Closed or lost. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** By a reset: ten thousand connections closed politely would hold their ports for a minute. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.resetAndDestroy();
  }

  #receive(bytes: Buffer): boolean {
    if (this.#isOver) return false;
    try {
      if (!this.isBusy) throw new Error('the server answered what it was not asked');
      if (!this.#parser.push(bytes)) return true;
    } catch (error) {
      this.#lose(reasonOf(error));
      return false;
    }
    this.isBusy = false;
    this.idleSinceMs = performance.now();
    this.#owner.answered(this, this.#parser);
    return true;
  }

  #lose(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#owner.lost(this, reason);
  }
}
