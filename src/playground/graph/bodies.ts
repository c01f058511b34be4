/** The bodies of calls, under a cap for each and for all that are held at a time. */
import type { IncomingMessage } from 'node:http';
import { busy, type GraphRefusal, tooLarge } from './graph-refusal.ts';

/** Held while they are read and parsed. */
export const MAX_HELD_BYTES = 256 * 1024 * 1024;

export class Bodies {
  #heldBytes = 0;

  /**
   * Hands the whole body to `use`, and lets go of it after. Rejects with a GraphRefusal for one that is too large: what
   * is left of it is read and thrown away, for a client that is still sending may miss the answer.
   */
  async with<T>(request: IncomingMessage, maxBytes: number, use: (body: Buffer) => T | Promise<T>): Promise<T> {
    let chunks: Buffer[] = [];
    let [bytes, heldBytes] = [0, 0];
    let refusal: GraphRefusal | undefined;
    const drop = () => {
      this.#heldBytes -= heldBytes;
      heldBytes = 0;
      chunks = [];
    };
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        refusal ??= bytes > maxBytes ? tooLarge('the body') : this.#reserve(chunk.length);
        if (refusal) {
          drop();
          continue;
        }
        heldBytes += chunk.length;
        chunks.push(chunk);
      }
      if (refusal) throw refusal;
      return await use(Buffer.concat(chunks));
    } finally {
      drop();
    }
  }

  #reserve(bytes: number): GraphRefusal | undefined {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return busy();
    this.#heldBytes += bytes;
    return undefined;
  }
}
