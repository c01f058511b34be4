/**
 * In place of WhatsApp's CDN: keeps the files that were picked in the playground, sealed, in memory.
 *
 * It listens by itself, on a port of its own: its origin has to be known before the service is started, and is the one
 * that downloads are allowed from beside Meta's hosts. A link to the admin port stays refused.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encryptMedia, type PickedMediaJson } from '../testing/media.ts';

/** Of all files, as they are kept: the oldest go. */
export const MAX_CDN_BYTES = 64 * 1024 * 1024;
/** Of one. Meta's pickers take no more. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024;

export class Cdn {
  /** `http://127.0.0.1:34567`. */
  readonly origin: string;
  readonly #server: Server;
  /** Oldest first, by path. */
  readonly #files: Map<string, Buffer>;
  #bytes = 0;

  static async start(): Promise<Cdn> {
    const files = new Map<string, Buffer>();
    const server = createServer((request, response) => {
      const file = request.method === 'GET' ? files.get(request.url ?? '') : undefined;
      response.writeHead(file ? 200 : 404, { 'Content-Type': 'application/octet-stream' }).end(file);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Cdn(server, files);
  }

  private constructor(server: Server, files: Map<string, Buffer>) {
    this.#server = server;
    this.#files = files;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @returns the entry of a picker's value. */
  put(plaintext: Uint8Array, fileName: string): PickedMediaJson {
    const mediaId = randomUUID();
    const path = `/${mediaId}`;
    const { file, picked } = encryptMedia(plaintext, { mediaId, fileName, cdnUrl: this.origin + path });
    this.#files.set(path, file);
    this.#bytes += file.length;
    this.#dropOldest();
    return picked;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #dropOldest(): void {
    for (const [path, file] of this.#files) {
      if (this.#bytes <= MAX_CDN_BYTES) break;
      this.#files.delete(path);
      this.#bytes -= file.length;
    }
  }
}
