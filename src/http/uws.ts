/**
 * The HttpServer on uWebSockets.js.
 *
 * Rules of that library that shape this file: a handler must register `onAborted` before anything else and must not
 * throw (either ends the process); the request object lives on the stack of its callback, so the head is copied at
 * once; a body chunk is only valid inside its callback; every later write happens inside `cork`.
 * Only API that upstream v20.30 and today's releases share is used.
 */

import type * as Uws from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import { FlowgateError } from '../errors.ts';
import { Exchange, InFlight } from './exchange.ts';
import type { HttpReply, HttpServer, HttpServerOptions } from './server.ts';

/** From this length on an answer may not fit the socket's buffer. */
const LARGE_BODY_CHARS = 64 * 1024;

/** The library's types leave out two parameters that every build has. */
type UwsModule = Omit<typeof Uws, 'App'> & {
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  _cfg(key: string): void;
  App(): Uws.TemplatedApp & {
    listen(host: string, port: number, options: number, onListen: (socket: Uws.us_listen_socket | false) => void): void;
  };
};

/** Loads the native library. @throws Error where its binary does not fit: musl, an old glibc, a newer Node. */
export function loadUws(): UwsModule {
  return createRequire(import.meta.url)('uWebSockets.js') as UwsModule;
}

export function createUwsServer(uws: UwsModule, options: HttpServerOptions): HttpServer {
  uws._cfg('silent'); // leaves out the `uWebSockets: 20` response header, for the whole process
  const inFlight = new InFlight();
  const app = uws.App();
  app.any('/*', (res, req) => {
    void new UwsExchange(res, req, options, inFlight).run();
  });
  let listenSocket: Uws.us_listen_socket | false = false;

  return {
    name: 'uws',
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        // Exclusive: by default a second process would silently share the port.
        app.listen(host, port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
          listenSocket = socket;
          if (socket) resolve(uws.us_socket_local_port(socket));
          else
            reject(
              new FlowgateError('LISTEN_FAILED', `cannot listen on ${host}:${port}: the port is taken or not allowed`),
            );
        });
      }),
    async close(graceMs) {
      if (listenSocket) uws.us_listen_socket_close(listenSocket);
      listenSocket = false;
      await inFlight.drain(graceMs, options.clock);
      app.close();
    },
  };
}

class UwsExchange extends Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #res: Uws.HttpResponse;
  readonly #headers = new Map<string, string>();
  /** Set while a large answer is on its way. */
  #onGone: (() => void) | undefined;

  constructor(res: Uws.HttpResponse, req: Uws.HttpRequest, options: HttpServerOptions, inFlight: InFlight) {
    super(options, inFlight);
    res.onAborted(() => {
      this.abort();
      this.#onGone?.();
    });
    this.#res = res;
    this.method = req.getMethod().toUpperCase();
    this.path = req.getUrl();
    this.query = req.getQuery() ?? '';
    // All headers, not the few we read: only so does a header that was sent twice show.
    req.forEach((name, value) => {
      const earlier = this.#headers.get(name);
      this.#headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    });
  }

  override header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  protected override readBody(): void {
    // Copied by Buffer.from, which takes small ones from its pool: an ArrayBuffer each would cost the collector dearly.
    this.#res.onData((chunk, isLast) => this.receive(Buffer.from(new Uint8Array(chunk)), isLast));
  }

  protected override send({ status, headers, body = '' }: HttpReply, close: boolean, onSent: () => void): void {
    const res = this.#res;
    res.cork(() => {
      res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Flow'}`);
      for (const name in headers) res.writeHeader(name, headers[name] ?? '');
      if (this.method === 'HEAD') this.#endHead(body, close);
      else if (body.length >= LARGE_BODY_CHARS) return this.#endLarge(Buffer.from(body), close, onSent);
      else res.end(body, close); // writes `Connection: close` itself
      onSent();
    });
  }

  /** `endWithoutBody(length)` would leave the response pending in this build, so the length goes out by hand. */
  #endHead(body: string, close: boolean): void {
    if (close) {
      this.#res.end(undefined, true);
      return;
    }
    this.#res.writeHeader('Content-Length', String(Buffer.byteLength(body)));
    this.#res.endWithoutBody();
  }

  /** In pieces, as fast as the client takes them: `end` would buffer it all, and closing the app would cut it off. */
  #endLarge(bytes: Buffer, close: boolean, onSent: () => void): void {
    const res = this.#res;
    if (close) res.writeHeader('Connection', 'close');
    const start = res.getWriteOffset();
    this.#onGone = onSent;
    const write = (offset: number) => {
      const [accepted, isDone] = res.tryEnd(bytes.subarray(offset - start), bytes.byteLength);
      if (isDone) {
        this.#onGone = undefined;
        onSent();
      }
      return accepted;
    };
    if (!write(start)) res.onWritable(write);
  }
}
