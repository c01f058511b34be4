/** The HttpServer on node:http: the twin that serves where uWebSockets.js cannot load, and the admin port. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { FlowgateError } from '../errors.ts';
import { type Certificate, unusable } from './certificate.ts';
import { Exchange, InFlight } from './exchange.ts';
import type { HttpReply, HttpServer, HttpServerOptions } from './server.ts';

/** uWebSockets.js closes an idle connection after 10 s; the twin does the same, so that both fit the same proxy settings. */
const KEEP_ALIVE_MS = 10_000;
const TLS_LIMITS = { handshakeTimeout: KEEP_ALIVE_MS };

export function createNodeServer(options: HttpServerOptions): HttpServer {
  const inFlight = new InFlight();
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: KEEP_ALIVE_MS,
    requestTimeout: options.exchangeTimeoutMs + KEEP_ALIVE_MS,
  };
  const onRequest = (req: IncomingMessage, res: ServerResponse) =>
    void new NodeExchange(req, res, options, inFlight).run();
  const { tls } = options;
  const tlsServer =
    tls && withKeyPair(tls, (pair) => createTlsServer({ ...limits, ...TLS_LIMITS, ...pair }, onRequest));
  const server = tlsServer ?? createServer(limits, onRequest);
  const sockets = new Set<Socket>(); // the server's own list lacks those in a TLS handshake
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    name: 'node',
    listen: (address) => listen(server, address),
    renewCertificate(certificate) {
      withKeyPair(certificate, (pair) => tlsServer?.setSecureContext(pair));
    },
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cancel = options.clock.after(graceMs, () => {
        for (const socket of sockets) socket.destroy();
      });
      await inFlight.drain(graceMs, options.clock);
      await closed; // later than that, while an answer is still on its way out of this process
      cancel();
    },
  };
}

/** Reads the files that the certificate came from, just before their use. @throws FlowgateError `CERTIFICATE_INVALID`. */
function withKeyPair<T>({ certFile, keyFile }: Certificate, use: (pair: { cert: Buffer; key: Buffer }) => T): T {
  try {
    return use({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  } catch (error) {
    throw unusable('node:https', error);
  }
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is taken' : (error.code ?? 'unknown reason');
      reject(new FlowgateError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${reason}`));
    });
    server.listen({ host, port, exclusive: true }, () => resolve((server.address() as AddressInfo).port));
  });
}

class NodeExchange extends Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;

  constructor(req: IncomingMessage, res: ServerResponse, options: HttpServerOptions, inFlight: InFlight) {
    super(options, inFlight);
    req.on('error', () => this.abort());
    res.on('error', () => this.abort());
    res.on('close', () => this.abort()); // after an answer this changes nothing
    this.#req = req;
    this.#res = res;
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    this.method = req.method ?? '';
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = mark === -1 ? '' : url.slice(mark + 1);
  }

  override header(name: string): string | undefined {
    return this.#req.headersDistinct[name]?.join(', ');
  }

  protected override readBody(): void {
    this.#req.on('data', (chunk: Buffer) => this.receive(chunk, false));
    this.#req.on('end', () => this.receive(NO_BYTES, true));
  }

  protected override send({ status, headers, body = '' }: HttpReply, close: boolean, onSent: () => void): void {
    const res = this.#res;
    res.writeHead(status, {
      ...headers,
      'Content-Length': Buffer.byteLength(body),
      ...(close && { Connection: 'close' }),
    });
    res.end(body);
    onSent(); // server.close() waits for what is still on its way
    this.#req.resume(); // a body that nobody asked for must not hold up the next request
  }
}

const NO_BYTES = Buffer.alloc(0);
