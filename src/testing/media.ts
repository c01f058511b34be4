/** Picked files as WhatsApp makes them: encrypted for the CDN, and described in the payload of a picker's screen. */
import { createCipheriv, createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';

export interface PickedMediaOptions {
  /** Where the file will be served; of WhatsApp's own form by default, where nothing is. */
  readonly cdnUrl?: string;
  /** `IMG_0001.jpg` by default. */
  readonly fileName?: string;
  /** A UUID by default. */
  readonly mediaId?: string;
  /** 32, 32 and 16 bytes; random by default. */
  readonly keys?: { readonly encryptionKey: Uint8Array; readonly hmacKey: Uint8Array; readonly iv: Uint8Array };
}

/** One entry of a picker's value, as JSON. */
export interface PickedMediaJson {
  readonly media_id: string;
  readonly cdn_url: string;
  readonly file_name: string;
  readonly encryption_metadata: {
    readonly encrypted_hash: string;
    readonly iv: string;
    readonly encryption_key: string;
    readonly hmac_key: string;
    readonly plaintext_hash: string;
  };
}

export interface EncryptedMedia {
  /** What the CDN has to serve. */
  readonly file: Buffer;
  /** For the payload: `phone.submit({ photos: [picked] })`. */
  readonly picked: PickedMediaJson;
}

/** Encrypts a file as the client does before it uploads it. */
export function encryptMedia(plaintext: Uint8Array, options: PickedMediaOptions = {}): EncryptedMedia {
  const { mediaId = randomUUID(), fileName = 'IMG_0001.jpg' } = options;
  const { cdnUrl = `https://mmg.whatsapp.net/v/${mediaId}` } = options;
  const { encryptionKey, hmacKey, iv } = options.keys ?? newKeys();
  const cipher = createCipheriv('aes-256-cbc', encryptionKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const mac = createHmac('sha256', hmacKey).update(iv).update(ciphertext).digest().subarray(0, 10);
  const file = Buffer.concat([ciphertext, mac]);
  const encryption_metadata = {
    encrypted_hash: sha256(file),
    iv: base64(iv),
    encryption_key: base64(encryptionKey),
    hmac_key: base64(hmacKey),
    plaintext_hash: sha256(plaintext),
  };
  return { file, picked: { media_id: mediaId, cdn_url: cdnUrl, file_name: fileName, encryption_metadata } };
}

function newKeys(): NonNullable<PickedMediaOptions['keys']> {
  return { encryptionKey: randomBytes(32), hmacKey: randomBytes(32), iv: randomBytes(16) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
