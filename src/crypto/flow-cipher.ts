/**
 * Opens the envelope of a WhatsApp Flows request and seals the reply.
 *
 * Pure functions over bytes: no I/O, clock or pool, so a thread, a test and a bench call the same code.
 * On the wire, RSA-OAEP (SHA-256) wraps a 128-bit AES key; AES-128-GCM seals the JSON, its 16-byte tag last;
 * the reply reuses that key with every bit of the request's IV inverted.
 * Source: Meta, "Implementing Endpoint for Flows", request decryption and encryption.
 */
import { constants, createCipheriv, createDecipheriv, type KeyObject, privateDecrypt } from 'node:crypto';

export const AES_KEY_BYTES = 16;
export const IV_BYTES = 16; // not GCM's usual 12
export const TAG_BYTES = 16;
/** Key wrapping: SHA-256 for OAEP and, as Node takes it from there, for MGF1. */
export const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;
const AES = 'aes-128-gcm';
const GCM_OPTIONS = { authTagLength: TAG_BYTES };

/** What `sealReply` needs of a request that was opened. */
export interface ReplyKey {
  readonly aesKey: Buffer;
  readonly requestIv: Buffer;
}

/**
 * Unwraps the AES key. Costs one RSA private operation (250 us) for each key tried: call it in a worker thread.
 *
 * @param wrappedKey as long as the modulus of the key it is meant for: 256 bytes at 2048 bits.
 * @param privateKeys newest first; each parsed once per thread, since parsing the PEM per call triples the cost.
 * @returns 16 bytes, or undefined when no key opens it: one answer for a wrong key, length or padding.
 */
export function unwrapAesKey(wrappedKey: Buffer, privateKeys: readonly KeyObject[]): Buffer | undefined {
  for (const privateKey of privateKeys) {
    const aesKey = unwrapWith(privateKey, wrappedKey);
    if (aesKey) return aesKey;
  }
  return undefined;
}

/** The same with one key. */
export function unwrapWith(privateKey: KeyObject, wrappedKey: Buffer): Buffer | undefined {
  try {
    const aesKey = privateDecrypt({ key: privateKey, ...OAEP }, wrappedKey);
    return aesKey.byteLength === AES_KEY_BYTES ? aesKey : undefined;
  } catch {
    return undefined; // another key may fit; the reason must not be told apart
  }
}

/**
 * Opens the payload. 4 us for 1 KB.
 *
 * @returns the plaintext, or undefined when the lengths are off or the tag does not match.
 */
export function openPayload(sealed: Buffer, iv: Buffer, aesKey: Buffer): Buffer | undefined {
  const tagStart = sealed.byteLength - TAG_BYTES;
  if (tagStart < 2 || iv.byteLength !== IV_BYTES) return undefined; // the shortest JSON object is {}
  const decipher = createDecipheriv(AES, aesKey, iv, GCM_OPTIONS);
  decipher.setAuthTag(sealed.subarray(tagStart));
  const text = decipher.update(sealed.subarray(0, tagStart));
  try {
    decipher.final();
    return text;
  } catch {
    return undefined;
  }
}

/**
 * Seals the reply to a request. 5 us for 1 KB.
 *
 * Call it once for a request: a second plaintext under the same key and IV breaks GCM.
 * @returns base64 of ciphertext and tag: the response body as it goes out.
 */
export function sealReply(text: string, { aesKey, requestIv }: ReplyKey): string {
  const cipher = createCipheriv(AES, aesKey, invert(requestIv), GCM_OPTIONS);
  const sealed = cipher.update(text, 'utf8');
  cipher.final(); // GCM has no padding: nothing is left to come
  return Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64');
}

function invert(iv: Buffer): Buffer {
  const inverted = Buffer.allocUnsafe(IV_BYTES);
  for (let i = 0; i < IV_BYTES; i++) inverted[i] = (iv[i] ?? 0) ^ 0xff;
  return inverted;
}
