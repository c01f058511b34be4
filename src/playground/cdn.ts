/**
 * In place of WhatsApp's CDN: keeps the files that were picked in the playground, sealed, in memory.
 *
 * Downloads are allowed from its origin beside Meta's hosts. A link to the admin port stays refused.
 */
import { createDecipheriv, randomUUID } from 'node:crypto';
import { ciphertextBytes } from '../crypto/media.ts';
import { encryptMedia, type PickedMediaJson } from '../testing/media.ts';
import { LoopbackServer } from './loopback-server.ts';

/** Of all files, as they are kept: the oldest go. */
export const MAX_CDN_BYTES = 64 * 1024 * 1024;
/** Of one. Meta's pickers take no more. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024;

interface KeptFile {
  readonly file: Buffer;
  readonly picked: PickedMediaJson;
}

export class Cdn {
  readonly #server: LoopbackServer;
  /** Oldest first, by path. */
  readonly #files = new Map<string, KeptFile>();
  #bytes = 0;

  static async start(): Promise<Cdn> {
    return new Cdn(await LoopbackServer.start());
  }

  private constructor(server: LoopbackServer) {
    this.#server = server;
    server.serve((request, response) => {
      const kept = request.method === 'GET' ? this.#files.get(request.url ?? '') : undefined;
      response.writeHead(kept ? 200 : 404, { 'Content-Type': 'application/octet-stream' }).end(kept?.file);
    });
  }

  get origin(): string {
    return this.#server.origin;
  }

  /** @returns the entry of a picker's value. */
  put(plaintext: Uint8Array, fileName: string): PickedMediaJson {
    const mediaId = randomUUID();
    const path = pathOf(mediaId);
    const kept = encryptMedia(plaintext, { mediaId, fileName, cdnUrl: this.origin + path });
    this.#files.set(path, kept);
    this.#bytes += kept.file.length;
    this.#dropOldest();
    return kept.picked;
  }

  /** The file as it was picked: what a completion names by its id. */
  open(mediaId: string): Buffer | undefined {
    const kept = this.#files.get(pathOf(mediaId));
    if (!kept) return undefined;
    const { encryption_key: key, iv } = kept.picked.encryption_metadata;
    const decipher = createDecipheriv('aes-256-cbc', Buffer.from(key, 'base64'), Buffer.from(iv, 'base64'));
    const ciphertext = kept.file.subarray(0, ciphertextBytes(kept.file.length));
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #dropOldest(): void {
    for (const [path, { file }] of this.#files) {
      if (this.#bytes <= MAX_CDN_BYTES) break;
      this.#files.delete(path);
      this.#bytes -= file.length;
    }
  }
}

function pathOf(mediaId: string): string {
  return `/${mediaId}`;
}
