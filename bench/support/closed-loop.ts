/**
 * A crowd: each of its connections sends the next request when the answer is there.
 *
 * It finds out what a server can do, and not how it behaves when more is asked of it: that takes an open loop.
 * One failure or wrong answer ends the run without a figure.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError, RefusalError } from './bench-error.ts';
import type { Figures } from './figures.ts';
import { type ConnectionOwner, HttpConnection } from './http-connection.ts';
import type { Usage } from './messages.ts';
import type { Load, ReadyRequest } from './request-stock.ts';
import type { ResponseParser } from './response-parser.ts';
import { Durations } from './statistics.ts';

/** Connections made at once: below the backlog of a listening socket. */
const OPEN_AT_ONCE = 250;
const DRAIN_TIMEOUT_MS = 20_000;

export interface CrowdOptions {
  readonly port: number;
  readonly connections: number;
  readonly stock: Load;
}

export class Crowd implements ConnectionOwner, Disposable {
  readonly #options: CrowdOptions;
  readonly #inFlight = new Map<HttpConnection, { request: ReadyRequest; sentMs: number }>();
  readonly #connections: HttpConnection[] = [];
  #isSending = false;
  #onEmpty: (() => void) | undefined;
  #window = { durations: new Durations(), startedMs: 0 };
  readonly #failure: Promise<never>;
  #fail!: (error: BenchError) => void;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failure.catch(() => {}); // whoever waits in `during` hears of it
  }

  /**
   * Everybody connects and is answered once, a group at a time; then everybody sends. Node accepts one connection a
   * turn of its event loop: those it had not accepted when a crowd sets in would wait for half a minute.
   */
  async start(): Promise<void> {
    const { port, connections } = this.#options;
    for (let left = connections; left > 0; left -= OPEN_AT_ONCE) {
      const group = Array.from({ length: Math.min(left, OPEN_AT_ONCE) }, () => new HttpConnection(port, this));
      this.#connections.push(...group);
      for (const connection of group) this.#send(connection);
      await this.during(this.#nothingInFlight());
    }
    this.#isSending = true;
    for (const connection of this.#connections) this.#send(connection);
  }

  /** @returns what `work` does; rejects at once when a request fails meanwhile. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure]);
  }

  startWindow(): void {
    this.#window = { durations: new Durations(), startedMs: performance.now() };
  }

  /** @returns what was answered since `startWindow`. */
  endWindow(): { durations: Durations; seconds: number } {
    const { durations, startedMs } = this.#window;
    this.startWindow(); // what is answered from here on belongs elsewhere
    return { durations, seconds: (this.#window.startedMs - startedMs) / 1_000 };
  }

  /** Sends nothing more, and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#isSending = false;
    const isLate = sleep(DRAIN_TIMEOUT_MS, true, { ref: false });
    if (await this.during(Promise.race([this.#nothingInFlight(), isLate]))) {
      throw new BenchError(`${this.#inFlight.size} requests were never answered`);
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.close();
  }

  answered(connection: HttpConnection, response: ResponseParser): void {
    const sent = this.#inFlight.get(connection);
    if (!sent) return;
    this.#inFlight.delete(connection);
    this.#window.durations.add(connection.idleSinceMs - sent.sentMs);
    const mistake = this.#options.stock.mistakeIn(response.status, () => response.body(), sent.request);
    if (mistake !== undefined) this.#fail(new (response.status === 503 ? RefusalError : BenchError)(mistake));
    else if (this.#isSending) this.#send(connection);
    else if (this.#inFlight.size === 0) this.#onEmpty?.();
  }

  lost(_: HttpConnection, reason: string): void {
    this.#fail(new BenchError(`a connection was lost: ${reason}`));
  }

  #send(connection: HttpConnection): void {
    const request = this.#options.stock.next();
    this.#inFlight.set(connection, { request, sentMs: performance.now() });
    connection.send(request.bytes);
  }

  async #nothingInFlight(): Promise<void> {
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }
}

/** What a server tells of itself. */
export interface MeasuredServer {
  readonly port: number;
  /** Since the last call. */
  measure(): Promise<Usage>;
}

export interface ClosedLoopOptions {
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  readonly stock: Load;
}

/** What every run of a crowd tells. */
export type ClosedLoopFigures = Figures & {
  readonly requestsPerSec: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
};

/** One run: warm-up, measured time, and the end of what is in flight. Rejects with a BenchError on any failure. */
export async function runClosedLoop(
  server: MeasuredServer,
  { connections, warmUpMs, measuredMs, stock }: ClosedLoopOptions,
): Promise<ClosedLoopFigures> {
  using crowd = new Crowd({ port: server.port, connections, stock });
  await crowd.start();
  await crowd.during(sleep(warmUpMs));
  // The window lasts from answer to answer of the server, which both mark the same instants as its CPU time.
  await crowd.during(server.measure());
  crowd.startWindow();
  await crowd.during(sleep(measuredMs));
  const usage = await crowd.during(server.measure());
  const { durations, seconds } = crowd.endWindow();
  await crowd.stop();
  if (durations.count === 0) throw new BenchError('no request was answered in the measured time');
  return {
    requestsPerSec: durations.count / seconds,
    p50Ms: durations.percentile(0.5),
    p99Ms: durations.percentile(0.99),
    cpuMicros: usage.cpuMicros / durations.count,
    loopDelayP99Ms: usage.loopDelayP99Ms,
    rssMb: usage.rssBytes / 1e6,
  };
}
