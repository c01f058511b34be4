/** A key pair and an app secret for one run of the benches. */
import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

export interface Credentials {
  readonly appSecret: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  /** Encrypted PKCS#1 PEM, the format that Meta's key generator writes. */
  readonly privateKeyPem: string;
  readonly passphrase: string;
}

export function makeCredentials(): Credentials {
  const passphrase = randomBytes(16).toString('hex');
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'des-ede3-cbc', passphrase },
  });
  return { appSecret: randomBytes(16).toString('hex'), publicKey, privateKeyPem: privateKey, passphrase };
}

/** The settings of a server with these credentials, by the names they have in the environment. */
export function credentialSettings({ appSecret, privateKeyPem, passphrase }: Credentials): Record<string, string> {
  return { APP_SECRET: appSecret, VERIFY_TOKEN: 'bench', PRIVATE_KEY: privateKeyPem, PASSPHRASE: passphrase };
}

export function parsePrivateKey({ privateKeyPem, passphrase }: Credentials): KeyObject {
  return createPrivateKey({ key: privateKeyPem, passphrase });
}

export const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

/** An AES key and what it looks like on the wire, before base64. */
export interface WrappedKey {
  readonly aesKey: Buffer;
  readonly wrapped: Buffer;
}

export function wrapFreshKey(publicKey: string | KeyObject): WrappedKey {
  const aesKey = randomBytes(16);
  return { aesKey, wrapped: publicEncrypt({ key: publicKey, ...OAEP }, aesKey) };
}
