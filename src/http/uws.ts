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
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import { type Certificate, unusable } from './certificate.ts';
import { Exchange, InFlight } from './exchange.ts';
import type { HttpReply, HttpServer, HttpServerOptions } from './server.ts';

/** From this length on an answer may not fit the socket's buffer. */
const LARGE_BODY_CHARS = 64 * 1024;
/** The library's default: other listeners of this user may have the port too. */
const SHARED_PORT = 0;
const SHORT_TURN_MS = 0.1;
const LONGEST_HANDOVER_MS = 1_000;

/** The library's types leave out parameters that every build has. */
type UwsModule = Omit<typeof Uws, 'App' | 'SSLApp'> & {
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  _cfg(key: string): void;
  App(): UwsApp;
  SSLApp(options: Uws.AppOptions): UwsApp;
};

type UwsApp = Uws.TemplatedApp & {
  listen(host: string, port: number, options: number, onListen: (socket: Uws.us_listen_socket | false) => void): void;
};

/** Loads the native library. @throws Error where its binary does not fit: musl, an old glibc, a newer Node. */
export function loadUws(): UwsModule {
  return createRequire(import.meta.url)('uWebSockets.js') as UwsModule;
}

export function createUwsServer(uws: UwsModule, options: HttpServerOptions): HttpServer {
  uws._cfg('silent'); // leaves out the `uWebSockets: 20` response header, for the whole process
  const inFlight = new InFlight();
  /** One for each certificate there has been: the library cannot change that of an app. A former one costs 31 KB. */
  const apps: UwsApp[] = [];
  const listeners = new Set<Uws.us_listen_socket>();
  let address: { host: string; port: number } | undefined;

  const addApp = (tls: Certificate | undefined): UwsApp => {
    const app = createApp(uws, tls);
    app.any('/*', (res, req) => {
      void new UwsExchange(res, req, options, inFlight).run();
    });
    apps.push(app);
    return app;
  };
  const listenOn = (app: UwsApp, { host, port }: { host: string; port: number }, mode: number): number => {
    let listener = false as Uws.us_listen_socket | false;
    app.listen(host, port, mode, (socket) => {
      listener = socket;
    }); // calls back before it returns
    if (listener === false) {
      throw new FlowgateError('LISTEN_FAILED', `cannot listen on ${host}:${port}: the port is taken or not allowed`);
    }
    listeners.add(listener);
    return uws.us_socket_local_port(listener);
  };
  const stopListening = (those: Iterable<Uws.us_listen_socket>) => {
    for (const listener of those) {
      if (listeners.delete(listener)) uws.us_listen_socket_close(listener);
    }
  };
  let current = addApp(options.tls);

  return {
    name: 'uws',
    async listen({ host, port }) {
      // Exclusive: by default a second process would silently share the port.
      address = { host, port: listenOn(current, { host, port }, uws.LIBUS_LISTEN_EXCLUSIVE_PORT) };
      if (options.tls) {
        // The port is ours. To be renewed, the certificate needs it shared.
        stopListening([...listeners]);
        listenOn(current, address, SHARED_PORT);
      }
      return address.port;
    },
    renewCertificate(certificate) {
      const former = [...listeners];
      const renewed = addApp(certificate);
      if (address) listenOn(renewed, address, SHARED_PORT);
      current = renewed;
      whenNothingWaits(options.clock, () => stopListening(former));
    },
    async close(graceMs) {
      address = undefined;
      stopListening([...listeners]);
      await inFlight.drain(graceMs, options.clock);
      for (const app of apps) app.close();
    },
  };
}

function createApp(uws: UwsModule, tls: Certificate | undefined): UwsApp {
  if (!tls) return uws.App();
  try {
    return uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
  } catch (error) {
    throw unusable('uWebSockets.js', error);
  }
}

/**
 * Runs `task` in a turn of the event loop in which hardly any time has passed since connections were last accepted: those
 * that wait to be accepted are reset when their listener closes.
 */
function whenNothingWaits(clock: Clock, task: () => void): void {
  const giveUpAtMs = clock.nowMs() + LONGEST_HANDOVER_MS;
  let lastTurnMs = Number.NEGATIVE_INFINITY;
  const turn = () => {
    const nowMs = clock.nowMs();
    if (nowMs - lastTurnMs < SHORT_TURN_MS || nowMs >= giveUpAtMs) {
      task();
      return;
    }
    lastTurnMs = nowMs;
    setImmediate(turn);
  };
  setImmediate(turn);
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
