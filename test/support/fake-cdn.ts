/** WhatsApp's CDN on 127.0.0.1: keeps picked files as WhatsApp does, and serves them as badly as a test wants. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { JsonObject } from '../../src/json.ts';
import { encryptMedia, type PickedMediaOptions } from '../../src/testing/media.ts';
import type { TestTls } from './proxy.ts';

/** How one request is answered. */
export type Behaviour = (response: ServerResponse, incoming: IncomingMessage) => unknown;

export interface CdnRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export class FakeCdn implements AsyncDisposable {
  /** For the option `hosts`. */
  readonly origin: string;
  /** As they came in. */
  readonly requests: CdnRequest[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #plans = new Map<string, Behaviour[]>();

  static async start(tls?: TestTls): Promise<FakeCdn> {
    const server = tls ? createTlsServer(tls) : createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FakeCdn(server, tls ? 'https' : 'http');
  }

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', () => {
      this.connections += 1;
    });
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => this.#answer(incoming, response));
  }

  /** @param plan one behaviour a request; the last one stays. @returns the URL that behaves so. */
  serve(...plan: Behaviour[]): string {
    const path = `/v/${this.#plans.size}`;
    this.#plans.set(path, plan);
    return this.origin + path;
  }

  /**
   * A file that was picked on a phone.
   * @param behave how the CDN answers for it, `sent(file)` by default.
   * @returns the picker's entry for it.
   */
  pick(
    plaintext: Uint8Array | string,
    behave: (file: Buffer) => Behaviour = (file) => sent(file),
    options: PickedMediaOptions = {},
  ): JsonObject {
    const { file, picked } = encryptMedia(Buffer.from(plaintext), options);
    return { ...picked, encryption_metadata: { ...picked.encryption_metadata }, cdn_url: this.serve(behave(file)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ('closeAllConnections' in this.#server) (this.#server as ReturnType<typeof createServer>).closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(incoming: IncomingMessage, response: ServerResponse): void {
    const path = incoming.url ?? '';
    this.requests.push({ path, headers: incoming.headers });
    const plan = this.#plans.get(path) ?? [];
    const behaviour = (plan.length > 1 ? plan.shift() : plan[0]) ?? status(404);
    behaviour(response, incoming);
  }
}

/** As it should be. */
export function sent(file: Uint8Array, headers: Record<string, string> = {}): Behaviour {
  return (response) => response.writeHead(200, { 'Content-Length': file.byteLength, ...headers }).end(file);
}

/** Without a length, so that only its hash tells whether all of it came. */
export function sentInChunks(file: Uint8Array): Behaviour {
  return (response) => response.writeHead(200).end(file);
}

export function status(code: number): Behaviour {
  return (response) => response.writeHead(code).end();
}

export function webPage(): Behaviour {
  const page = '<!doctype html><title>Sorry, this content is not available</title>';
  return (response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
}

export function compressed(file: Uint8Array): Behaviour {
  return (response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(file));
}

export function redirect(location: string, code = 302): Behaviour {
  return (response) => response.writeHead(code, { Location: location }).end();
}

/** The connection ends after `bytes` of the file. */
export function cutOff(file: Uint8Array, bytes: number): Behaviour {
  return (response) => {
    response.writeHead(200, { 'Content-Length': file.byteLength });
    response.write(file.subarray(0, bytes), () => response.destroy());
  };
}

/** The connection is reset before anything is answered. */
export function reset(): Behaviour {
  return (_, incoming) => incoming.socket.resetAndDestroy();
}

/** After `bytes` of the file comes nothing more, and the connection stays. */
export function stalled(file: Uint8Array, bytes: number): Behaviour {
  return (response) => {
    response.writeHead(200, { 'Content-Length': file.byteLength });
    response.write(file.subarray(0, bytes));
  };
}

/** Never answers. */
export function silent(): Behaviour {
  return () => {};
}

/** Sends for as long as somebody reads. @param onBytes told of each 64 KiB. */
export function endless(onBytes: (bytes: number) => void = () => {}): Behaviour {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return (response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed) {
        onBytes(chunk.length);
        if (!response.write(chunk)) break;
      }
    };
    response.on('drain', more);
    more();
  };
}

/** Bytes in place of a reply. */
export function raw(text: string): Behaviour {
  return (_, incoming) => incoming.socket.end(text);
}
