/**
 * Checks and opens a file that was picked in a Flow, as its CDN keeps it: ciphertext, then 10 bytes of MAC.
 *
 * Pure and streaming: no I/O, and never more in memory than the chunk at hand. AES-256-CBC with PKCS#7 padding;
 * HMAC-SHA256 over IV and ciphertext, cut to 10 bytes; SHA-256 over the whole file, and over the plaintext.
 * CBC alone tells nothing of tampering: decrypt only what `MediaVerifier` found no fault with.
 * Source: Meta, "Media upload" of WhatsApp Flows.
 */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { FlowgateError } from '../errors.ts';

export const MEDIA_KEY_BYTES = 32;
export const MEDIA_IV_BYTES = 16;
export const MEDIA_HASH_BYTES = 32;
export const MEDIA_MAC_BYTES = 10;
const BLOCK_BYTES = 16;
const CIPHER = 'aes-256-cbc';

/** What the picker tells of a file, decoded. */
export interface MediaEncryption {
  /** 32 bytes. */
  readonly encryptionKey: Buffer;
  /** 32 bytes. */
  readonly hmacKey: Buffer;
  /** 16 bytes. */
  readonly iv: Buffer;
  /** SHA-256 of the file as the CDN keeps it. */
  readonly encryptedHash: Buffer;
  /** SHA-256 of what was picked. */
  readonly plaintextHash: Buffer;
}

/** `length`: no ciphertext has as many bytes. */
export type MediaFault = 'length' | 'hash' | 'mac';

/** How long the CDN's file is for a plaintext of `plainBytes`. */
export function sealedBytes(plainBytes: number): number {
  return plainBytes - (plainBytes % BLOCK_BYTES) + BLOCK_BYTES + MEDIA_MAC_BYTES;
}

/** How much of the CDN's file is ciphertext. */
export function ciphertextBytes(fileBytes: number): number {
  return fileBytes - MEDIA_MAC_BYTES;
}

/** Takes in the CDN's file, in chunks of any size. */
export class MediaVerifier {
  readonly #expected: MediaEncryption;
  readonly #hash = createHash('sha256');
  readonly #mac;
  /** The last bytes so far: the MAC, unless more follows. */
  #tail: Buffer = Buffer.alloc(0);
  #fileBytes = 0;

  /** @throws TypeError for keys, IV or hashes of another length. */
  constructor(encryption: MediaEncryption) {
    checkLengths(encryption);
    this.#expected = encryption;
    this.#mac = createHmac('sha256', encryption.hmacKey).update(encryption.iv);
  }

  update(chunk: Buffer): void {
    this.#fileBytes += chunk.length;
    this.#hash.update(chunk);
    if (chunk.length < MEDIA_MAC_BYTES) {
      const joined = Buffer.concat([this.#tail, chunk]);
      this.#keepTail(joined, Math.max(0, joined.length - MEDIA_MAC_BYTES));
    } else {
      this.#mac.update(this.#tail);
      this.#keepTail(chunk, chunk.length - MEDIA_MAC_BYTES);
    }
  }

  /** Call it once, at the end of the file. @returns undefined when the file is the one that was picked. */
  fault(): MediaFault | undefined {
    const cipherBytes = ciphertextBytes(this.#fileBytes);
    const isHashGood = timingSafeEqual(this.#hash.digest(), this.#expected.encryptedHash);
    const mac = this.#mac.digest().subarray(0, MEDIA_MAC_BYTES);
    if (!isHashGood) return 'hash';
    if (cipherBytes < BLOCK_BYTES || cipherBytes % BLOCK_BYTES !== 0) return 'length';
    return timingSafeEqual(mac, this.#tail) ? undefined : 'mac';
  }

  /** @param bytes ends with what may be the MAC; copied, so that no chunk is held for 10 bytes of it. */
  #keepTail(bytes: Buffer, start: number): void {
    this.#mac.update(bytes.subarray(0, start));
    this.#tail = Buffer.from(bytes.subarray(start));
  }
}

/**
 * The plaintext of `ciphertext`, chunk by chunk.
 *
 * @param ciphertext the CDN's file without its last 10 bytes; a `MediaVerifier` found no fault with it.
 * @throws `MEDIA_INVALID` at the end, for padding that is none: whoever sealed the file sealed it wrong.
 */
export async function* decryptMedia(
  ciphertext: AsyncIterable<Buffer>,
  { encryptionKey, iv }: Pick<MediaEncryption, 'encryptionKey' | 'iv'>,
): AsyncGenerator<Buffer, void, undefined> {
  const decipher = createDecipheriv(CIPHER, encryptionKey, iv);
  for await (const chunk of ciphertext) {
    const plain = decipher.update(chunk);
    if (plain.length > 0) yield plain;
  }
  const last = finalOf(() => decipher.final());
  if (last.length > 0) yield last;
}

/** In a time that does not depend on where they differ. */
export function isSameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function finalOf(final: () => Buffer): Buffer {
  try {
    return final();
  } catch {
    throw new FlowgateError('MEDIA_INVALID', 'the picked file cannot be decrypted: its padding is wrong');
  }
}

function checkLengths({ encryptionKey, hmacKey, iv, encryptedHash, plaintextHash }: MediaEncryption): void {
  const areKeysGood = encryptionKey.length === MEDIA_KEY_BYTES && hmacKey.length === MEDIA_KEY_BYTES;
  const areHashesGood = encryptedHash.length === MEDIA_HASH_BYTES && plaintextHash.length === MEDIA_HASH_BYTES;
  if (!areKeysGood || !areHashesGood || iv.length !== MEDIA_IV_BYTES) {
    throw new TypeError('keys and hashes of picked media have 32 bytes, and the IV has 16');
  }
}
