/**
 * Flow requests by the thousand, for load: each one is new to the server, made in about 20 us.
 *
 * A real client wraps a fresh AES key for every request. Here a few wrapped keys are made once and every request gets a
 * fresh IV: no two are alike, so the server does all its work for each, while the generator leaves it the CPU.
 * Written on node:crypto for speed, sharing no code with the server's cipher.
 */
import { constants, createCipheriv, createDecipheriv, createHmac, publicEncrypt, randomBytes } from 'node:crypto';

const WRAPPED_KEYS = 64;
const GCM = { authTagLength: 16 };

export interface LoadRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** @returns the decrypted answer, or undefined when it does not open. */
  open(reply: string): { readonly screen?: string } | undefined;
}

/** @param payload plaintext of every request. */
export function createRequestStream(
  payload: object,
  { publicKey, appSecret }: { publicKey: string; appSecret: string },
): { next(): LoadRequest } {
  const plaintext = JSON.stringify(payload);
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const keys = Array.from({ length: WRAPPED_KEYS }, () => {
    const aesKey = randomBytes(16);
    return { aesKey, wrapped: publicEncrypt({ key: publicKey, ...padding }, aesKey).toString('base64') };
  });
  let turn = 0;

  return {
    next() {
      const { aesKey, wrapped } = keys[turn++ % WRAPPED_KEYS] as (typeof keys)[number];
      const iv = randomBytes(16);
      const body = JSON.stringify({
        encrypted_flow_data: seal(plaintext, aesKey, iv),
        encrypted_aes_key: wrapped,
        initial_vector: iv.toString('base64'),
      });
      const signature = createHmac('sha256', appSecret).update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
      return { body, headers, open: (reply) => open(reply, aesKey, iv) };
    },
  };
}

function seal(plaintext: string, aesKey: Buffer, iv: Buffer): string {
  const cipher = createCipheriv('aes-128-gcm', aesKey, iv, GCM);
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function open(reply: string, aesKey: Buffer, iv: Buffer): { screen?: string } | undefined {
  const bytes = Buffer.from(reply, 'base64');
  try {
    const decipher = createDecipheriv('aes-128-gcm', aesKey, Buffer.from(iv.map((byte) => ~byte)), GCM);
    decipher.setAuthTag(bytes.subarray(-16));
    const text = decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as { screen?: string };
  } catch {
    return undefined;
  }
}
