/**
 * A file that nobody else can open and that cannot be left behind.
 *
 * It loses its name as soon as it is made, before a byte is in it: what is left is a descriptor, and the operating system
 * frees the space when that is closed or when the process ends, however it ends (Linux, macOS). Only an end in the moment
 * between the two leaves a name, of an empty file.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, unavailable } from './media-error.ts';

/** Held for each file that is read. */
export const CHUNK_BYTES = 64 * 1024;

export class TempFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  #sizeBytes = 0;

  /** Rejects with `MEDIA_UNAVAILABLE` when the directory is not there, or takes no file. */
  static async create(directory: string): Promise<TempFile> {
    const path = join(directory, `flowgate-media-${randomUUID()}`);
    try {
      const handle = await open(path, 'wx+', 0o600);
      await unlink(path).catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      return new TempFile(handle);
    } catch (error) {
      throw diskFailed(error);
    }
  }

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(chunk: Buffer): Promise<void> {
    try {
      await this.#handle.writeFile(chunk); // at the end of what was written so far, and all of it
    } catch (error) {
      throw diskFailed(error);
    }
    this.#sizeBytes += chunk.length;
  }

  /** From the beginning, as often as wanted. @param endBytes where to stop. */
  async *read(endBytes = this.#sizeBytes): AsyncGenerator<Buffer, void, undefined> {
    for (let position = 0; position < endBytes; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, endBytes - position));
      const bytesRead = await this.#readAt(chunk, position);
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #readAt(chunk: Buffer, position: number): Promise<number> {
    try {
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, position);
      if (bytesRead > 0) return bytesRead;
    } catch (error) {
      throw diskFailed(error);
    }
    throw diskFailed(undefined); // shorter than what was written
  }
}

function diskFailed(error: unknown): Error {
  return unavailable(
    `the file could not be kept in the temporary directory (${systemCode(error) ?? 'no reason given'})`,
  );
}
