/**
 * The HTTP port: what the rest of Flowgate knows of a server, whichever library speaks to the socket.
 *
 * An implementation reads one request, calls the handler once and sends what it returns, once. It keeps the
 * promises that `test/http/server-contract.test.ts` checks: body cap, abort, last-resort timeout, keep-alive, graceful close.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Certificate } from './certificate.ts';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** As sent, without the query; not percent-decoded. */
  readonly path: string;
  /** Without the `?`; empty when there is none. */
  readonly query: string;
  /** When the head was read, on the server's clock (monotonic ms). */
  readonly receivedAtMs: number;
  /** True once the client is gone: nothing that is returned will be sent. */
  readonly aborted: boolean;
  /** @param name lower case. @returns the value; a header sent twice comes back joined with `, `. */
  header(name: string): string | undefined;
  /**
   * The raw bytes. Call it before the handler's first `await`, or the bytes may have passed.
   * Rejects with `BODY_TOO_LARGE` over `maxBytes` (from `content-length` before a byte is read, or while counting),
   * or with `CLIENT_GONE`.
   */
  body(maxBytes: number): Promise<Buffer>;
  /** Calls `listener` once, if and when the client leaves before the answer. */
  onAbort(listener: () => void): void;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Close the connection after this answer. */
  readonly close?: boolean;
}

/** A rejection or a throw is answered by the status of its code, without a body. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpReply> | HttpReply;

export interface HttpServerOptions {
  readonly handler: HttpHandler;
  /** From head to answer; passing it answers 408 while the body is incomplete, else 503, and closes the connection. */
  readonly exchangeTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Serves HTTPS with it, and nothing else. Creating the server throws `CERTIFICATE_INVALID` where it cannot. */
  readonly tls?: Certificate | undefined;
}

export type HttpServerName = 'uws' | 'node';

export interface HttpServer {
  readonly name: HttpServerName;
  /** @param address port 0 takes a free one. @returns the port in use. Rejects with `LISTEN_FAILED`. */
  listen(address: { host: string; port: number }): Promise<number>;
  /**
   * Gives new connections this certificate, all of them a second later; those that are open keep theirs, and go on.
   * Throws `CERTIFICATE_INVALID` or `LISTEN_FAILED`, and then nothing has changed. Only for a server created with `tls`.
   */
  renewCertificate(certificate: Certificate): void;
  /**
   * Stops accepting, answers what is in flight with `Connection: close`, then closes.
   * After `graceMs` the rest is cut off.
   */
  close(graceMs: number): Promise<void>;
}
