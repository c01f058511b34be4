/** One request at a time, each awaited: a look at the server from a quiet client. */
import { BenchError } from './bench-error.ts';
import { type ConnectionOwner, HttpConnection } from './http-connection.ts';
import type { ReadyRequest } from './request-stock.ts';
import type { ResponseParser } from './response-parser.ts';

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
  readonly latencyMs: number;
}

export class Probe implements ConnectionOwner, Disposable {
  readonly #port: number;
  #connection: HttpConnection | undefined;
  #resolve: ((answer: ProbeAnswer) => void) | undefined;
  #reject: ((error: BenchError) => void) | undefined;
  #sentMs = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Rejects with a BenchError when the connection is lost. */
  send({ bytes }: ReadyRequest): Promise<ProbeAnswer> {
    const connection = this.#connection?.isOver === false ? this.#connection : new HttpConnection(this.#port, this);
    this.#connection = connection;
    this.#sentMs = performance.now();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      connection.send(bytes);
    });
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
  }

  answered(connection: HttpConnection, response: ResponseParser): void {
    const latencyMs = connection.idleSinceMs - this.#sentMs;
    if (response.isLast) connection.close();
    this.#resolve?.({ status: response.status, body: response.body(), latencyMs });
  }

  lost(_: HttpConnection, reason: string): void {
    this.#reject?.(new BenchError(`a probe's connection was lost: ${reason}`));
  }
}
