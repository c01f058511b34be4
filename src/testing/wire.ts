/**
 * The client's side of the wire: seals requests and opens replies, as WhatsApp does.
 *
 * Written on WebCrypto, sharing no line with the server's cipher, so that each tests the other.
 */

import type { webcrypto } from 'node:crypto';

type CryptoKey = webcrypto.CryptoKey;

const IV_BYTES = 16;
const AES_GCM = 'AES-GCM';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A request as it goes over the wire, with what is needed to open its reply. */
export interface SealedRequest {
  readonly body: string;
  /** The value of `X-Hub-Signature-256`. */
  readonly signature: string;
  /** @returns the plaintext. Rejects when the text is not exactly base64, or not sealed with the inverted IV. */
  openReply(text: string): Promise<string>;
}

export interface Envelope {
  readonly encrypted_flow_data: string;
  readonly encrypted_aes_key: string;
  readonly initial_vector: string;
}

/**
 * @param payload an object, or the exact plaintext.
 * @param publicKeyPem SPKI, as uploaded to Meta.
 * @param toBody turns the envelope into the body that is signed and sent; JSON by default.
 */
export async function sealRequest(
  payload: object | string,
  { publicKeyPem, appSecret }: { publicKeyPem: string; appSecret: string },
  toBody: (envelope: Envelope) => string = JSON.stringify,
): Promise<SealedRequest> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const rawKey = crypto.getRandomValues(new Uint8Array(16));
  const aesKey = await crypto.subtle.importKey('raw', rawKey, AES_GCM, false, ['encrypt', 'decrypt']);
  const plaintext = new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const rsaKey = await importPublicKey(publicKeyPem);
  const body = toBody({
    encrypted_flow_data: toBase64(
      await crypto.subtle.encrypt({ name: AES_GCM, iv, tagLength: 128 }, aesKey, plaintext),
    ),
    encrypted_aes_key: toBase64(await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, rsaKey, rawKey)),
    initial_vector: toBase64(iv),
  });
  return { body, signature: await sign(body, appSecret), openReply: (text) => openReply(text, aesKey, iv) };
}

/** @returns `sha256=` and the HMAC-SHA256 of the body in lower-case hex. */
export async function sign(body: string, appSecret: string): Promise<string> {
  return `sha256=${(await hmac(body, appSecret)).toString('hex')}`;
}

/** @returns `flow_token_signature`: a JWT by HS256 whose one claim is the token. Meta does not say what it calls it. */
export async function signToken(token: string, appSecret: string): Promise<string> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ flow_token: token })}`;
  return `${signed}.${(await hmac(signed, appSecret)).toString('base64url')}`;
}

async function hmac(text: string, secret: string): Promise<Buffer> {
  const bytes = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes.encode(secret), algorithm, false, ['sign']);
  return Buffer.from(await crypto.subtle.sign('HMAC', key, bytes.encode(text)));
}

async function openReply(text: string, aesKey: CryptoKey, iv: Uint8Array): Promise<string> {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new Error('the reply is not bare base64');
  const inverted = iv.map((byte) => byte ^ 0xff);
  const sealed = Buffer.from(text, 'base64');
  const plaintext = await crypto.subtle
    .decrypt({ name: AES_GCM, iv: inverted, tagLength: 128 }, aesKey, sealed)
    .catch(() => Promise.reject(new Error('the reply does not open with the inverted IV')));
  return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
}

function importPublicKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  return crypto.subtle.importKey('spki', der, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['encrypt']);
}

function toBase64(bytes: ArrayBuffer | Uint8Array): string {
  return Buffer.from(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)).toString('base64');
}
