/**
 * Seals a request and opens its reply, with nothing but WebCrypto.
 *
 * RSA-OAEP (SHA-256) wraps a fresh 128-bit AES key; AES-128-GCM with a fresh 16-byte IV seals the JSON, its tag last; the
 * reply comes under the same key with every bit of the IV inverted.
 */
import { fromBase64, toBase64 } from './base64.ts';

export interface Sealed {
  /** The envelope as JSON: what is signed and sent. */
  readonly body: string;
  /** @returns the plaintext. Rejects with a sentence when the text is not what only the server could have sealed. */
  open(text: string): Promise<string>;
}

type AesKey = Awaited<ReturnType<typeof importPublicKey>>;

const KEY_BYTES = 16;
const IV_BYTES = 16;
const TAG_BITS = 128;

/** @param publicKeyPem SPKI. */
export async function seal(plaintext: string, publicKeyPem: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const rawKey = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const aesKey = await crypto.subtle.importKey('raw', rawKey, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const rsaKey = await importPublicKey(publicKeyPem);
  const sealing = { name: 'AES-GCM', iv, tagLength: TAG_BITS };
  const data = await crypto.subtle.encrypt(sealing, aesKey, new TextEncoder().encode(plaintext));
  const wrappedKey = await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, rsaKey, rawKey);
  const envelope = {
    encrypted_flow_data: toBase64(new Uint8Array(data)),
    encrypted_aes_key: toBase64(new Uint8Array(wrappedKey)),
    initial_vector: toBase64(iv),
  };
  return { body: JSON.stringify(envelope), open: (text) => open(text, aesKey, iv) };
}

async function open(text: string, aesKey: AesKey, iv: Uint8Array<ArrayBuffer>): Promise<string> {
  const sealed = fromBase64(text);
  if (!sealed || sealed.length === 0) throw new Error('the answer is not bare base64');
  const inverted = iv.map((byte) => byte ^ 0xff);
  const plaintext = await crypto.subtle
    .decrypt({ name: 'AES-GCM', iv: inverted, tagLength: TAG_BITS }, aesKey, sealed)
    .catch(() => Promise.reject(new Error('the answer does not open with this request’s key and its inverted IV')));
  return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
}

async function importPublicKey(pem: string) {
  const der = fromBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''));
  if (!der) throw new Error('the public key is no PEM');
  return crypto.subtle.importKey('spki', der, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['encrypt']);
}
