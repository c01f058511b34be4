/**
 * The connections of an open loop: a request takes a free one or opens another. At the bound it waits here, and its
 * latency goes on counting from the moment it was due.
 */
import { type ConnectionOwner, HttpConnection } from './http-connection.ts';
import { openFileLimit } from './machine.ts';
import type { ReadyRequest } from './request-stock.ts';
import type { ResponseParser } from './response-parser.ts';
import { Durations } from './statistics.ts';

/** Meta gives up after this time, and so does the pool. */
const GIVE_UP_MS = 10_000;
const SWEEP_MS = 500;
/** A server closes what was idle for 10 s: a connection that old may break under the next request. */
const MAX_IDLE_MS = 5_000;
/** From one address to one port there are about 28 000 connections on Linux. */
const MAX_CONNECTIONS = 25_000;
/** Files that a process needs besides its connections. */
export const SPARE_FILES = 300;

/** As many as the machine allows: with too few, requests wait here and the server never sees the overload. */
export function mostConnections(): number {
  return Math.min(MAX_CONNECTIONS, openFileLimit() - SPARE_FILES);
}

export interface Ticket {
  /** Monotonic ms. */
  readonly dueMs: number;
  readonly request: ReadyRequest;
}

/** Hears of each ticket once: an answer, or a failure. */
export interface TicketOwner {
  /** @param latencyMs since the request was due. */
  answered(ticket: Ticket, response: ResponseParser, latencyMs: number): void;
  failed(ticket: Ticket, reason: string): void;
}

export class ConnectionPool implements ConnectionOwner, Disposable {
  /** How late requests left, be it for want of a connection or of time in the generator. */
  readonly lateness = new Durations();
  /** Requests that found the pool at its bound. */
  waited = 0;
  readonly #port: number;
  readonly #maxConnections: number;
  readonly #owner: TicketOwner;
  readonly #busy = new Map<HttpConnection, Ticket>();
  readonly #idle: HttpConnection[] = [];
  #connections = 0;
  #waiting: Ticket[] = [];
  #nextWaiting = 0;
  #onSettled: (() => void) | undefined;
  readonly #sweep = setInterval(() => this.#giveUp(), SWEEP_MS);

  constructor(port: number, owner: TicketOwner, maxConnections = mostConnections()) {
    this.#port = port;
    this.#owner = owner;
    this.#maxConnections = maxConnections;
  }

  send(ticket: Ticket): void {
    const connection = this.#takeIdle() ?? this.#open();
    if (connection) {
      this.#write(connection, ticket);
    } else {
      this.waited += 1;
      this.#waiting.push(ticket);
    }
  }

  /** Forgets the requests that still wait for a connection. @returns how many. */
  dropUnsent(): number {
    const unsent = this.#waiting.length - this.#nextWaiting;
    this.#waiting = [];
    this.#nextWaiting = 0;
    return unsent;
  }

  /** Resolves when nothing is in flight. */
  async settled(): Promise<void> {
    if (this.#busy.size > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweep);
    for (const connection of [...this.#idle, ...this.#busy.keys()]) connection.close();
  }

  answered(connection: HttpConnection, response: ResponseParser): void {
    const ticket = this.#busy.get(connection);
    if (!ticket) return;
    this.#busy.delete(connection);
    this.#owner.answered(ticket, response, connection.idleSinceMs - ticket.dueMs);
    if (response.isLast) this.#discard(connection);
    else this.#reuse(connection);
    this.#checkSettled();
  }

  lost(connection: HttpConnection, reason: string): void {
    this.#connections -= 1;
    const ticket = this.#busy.get(connection);
    this.#busy.delete(connection);
    if (ticket) this.#owner.failed(ticket, reason);
    this.#checkSettled();
  }

  /** The one used last, which the server is least likely to close. */
  #takeIdle(): HttpConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (!connection || (!connection.isOver && performance.now() - connection.idleSinceMs < MAX_IDLE_MS)) {
        return connection;
      }
      if (!connection.isOver) this.#discard(connection);
    }
  }

  #open(): HttpConnection | undefined {
    if (this.#connections >= this.#maxConnections) return undefined;
    this.#connections += 1;
    return new HttpConnection(this.#port, this);
  }

  #write(connection: HttpConnection, ticket: Ticket): void {
    this.lateness.add(performance.now() - ticket.dueMs);
    this.#busy.set(connection, ticket);
    connection.send(ticket.request.bytes);
  }

  #reuse(connection: HttpConnection): void {
    const ticket = this.#waiting[this.#nextWaiting];
    if (!ticket) {
      this.#idle.push(connection);
      return;
    }
    this.#nextWaiting += 1;
    this.#write(connection, ticket);
  }

  #discard(connection: HttpConnection): void {
    this.#connections -= 1;
    connection.close();
  }

  #giveUp(): void {
    const nowMs = performance.now();
    for (const [connection, ticket] of this.#busy) {
      if (nowMs - ticket.dueMs < GIVE_UP_MS) continue;
      this.#busy.delete(connection);
      this.#discard(connection);
      this.#owner.failed(ticket, `no answer in ${GIVE_UP_MS / 1000} s`);
    }
    this.#checkSettled();
  }

  #checkSettled(): void {
    if (this.#busy.size === 0) this.#onSettled?.();
  }
}
