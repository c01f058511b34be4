/**
 * A file that was downloaded and passed every check.
 *
 * What is on disk is the file as it was sent: one that was picked in a Flow stays sealed there, and is decrypted anew each
 * time it is read. Nobody holds a byte of it before its last one was checked.
 */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ciphertextBytes, decryptMedia, isSameHash, type MediaEncryption } from '../crypto/media.ts';
import { invalid, tooLarge } from './media-error.ts';
import { type FileKind, HEAD_BYTES, sniff } from './sniff.ts';
import { CHUNK_BYTES, type TempFile } from './temp-file.ts';

export interface DownloadedFile extends AsyncDisposable {
  /** By its bytes, never by what the phone says; `application/octet-stream` where they tell nothing. */
  readonly mimeType: string;
  /** Without a dot; `bin` where the bytes tell nothing. */
  readonly extension: string;
  readonly sizeBytes: number;
  /** In hexadecimal: of what was picked, not of what the CDN keeps. */
  readonly sha256: string;
  /** From the beginning, as often as wanted; 64 KiB at a time. A TypeError once the file is disposed of. */
  stream(): Readable;
  /** The whole file in memory. */
  bytes(): Promise<Buffer>;
  /** Writes a new file, for its owner alone to read; rejects where one is. A file that fails half-way is removed. */
  saveTo(path: string): Promise<void>;
}

interface Checks {
  readonly encryption: MediaEncryption | undefined;
  /** Each is the SHA-256 of what is in the file. */
  readonly hashes: readonly Buffer[];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

interface Facts extends FileKind {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Takes `kept` over: whatever comes of it, it is disposed of. Rejects with `MEDIA_INVALID`, or the reason of `signal`. */
export async function openChecked(kept: TempFile, checks: Checks): Promise<DownloadedFile> {
  try {
    const facts = await inspect(contentOf(kept, checks.encryption), checks);
    return new CheckedFile(kept, checks.encryption, facts);
  } catch (error) {
    await kept[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads all of it once: size and hash have to be right before anybody gets the first byte. */
async function inspect(
  content: AsyncIterable<Buffer>,
  { hashes, maxBytes, signal }: Pick<Checks, 'hashes' | 'maxBytes' | 'signal'>,
): Promise<Facts> {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    signal.throwIfAborted();
    hash.update(chunk);
    if (sizeBytes < HEAD_BYTES) head.push(chunk);
    sizeBytes += chunk.length;
  }
  const sha256 = hash.digest();
  if (sizeBytes > maxBytes) throw tooLarge();
  if (!hashes.every((expected) => isSameHash(expected, sha256))) {
    throw invalid('the file is not the one that was described: the hash of its content differs');
  }
  const kind = await sniff(Buffer.concat(head).subarray(0, HEAD_BYTES));
  return { ...kind, sizeBytes, sha256: sha256.toString('hex') };
}

function contentOf(kept: TempFile, encryption: MediaEncryption | undefined): AsyncIterable<Buffer> {
  return encryption ? decryptMedia(kept.read(ciphertextBytes(kept.sizeBytes)), encryption) : kept.read();
}

class CheckedFile implements DownloadedFile {
  readonly mimeType: string;
  readonly extension: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly #kept: TempFile;
  readonly #encryption: MediaEncryption | undefined;
  readonly #streams = new Set<Readable>();
  #disposed: Promise<void> | undefined;

  constructor(kept: TempFile, encryption: MediaEncryption | undefined, facts: Facts) {
    this.#kept = kept;
    this.#encryption = encryption;
    this.mimeType = facts.mimeType;
    this.extension = facts.extension;
    this.sizeBytes = facts.sizeBytes;
    this.sha256 = facts.sha256;
  }

  stream(): Readable {
    if (this.#disposed) {
      throw new TypeError('the file is gone: read it, or keep it with saveTo, before it is disposed of');
    }
    const content = contentOf(this.#kept, this.#encryption);
    const stream = Readable.from(content, { objectMode: false, highWaterMark: CHUNK_BYTES });
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  async bytes(): Promise<Buffer> {
    return buffer(this.stream());
  }

  async saveTo(path: string): Promise<void> {
    const content = this.stream();
    const target = await open(path, 'wx', 0o600).catch((error: unknown) => {
      content.destroy();
      throw error;
    });
    try {
      await pipeline(content, target.createWriteStream());
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Ends the streams that are still read, without an error: nobody may be there to hear it. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    await this.#kept[Symbol.asyncDispose]();
  }
}
