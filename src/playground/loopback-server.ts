/**
 * A server of the playground's own: on 127.0.0.1, at a port that is free.
 *
 * It listens by itself, since its origin has to be known before the service is started, and must not be the admin port's.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class LoopbackServer {
  /** `http://127.0.0.1:34567`. */
  readonly origin: string;
  readonly #server: Server;

  static async start(): Promise<LoopbackServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LoopbackServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Until then requests wait. */
  serve(listener: RequestListener): void {
    this.#server.on('request', listener);
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
