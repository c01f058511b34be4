/**
 * The private keys of the endpoint, newest first: parsed once, checked, and known by fingerprint.
 *
 * Several are held while a key is being rotated: a client keeps using the public key it has cached until it is
 * answered 421. No key id is sent: key-order.ts tells which is tried first.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { FlowgateError } from '../errors.ts';

/** Meta, "WhatsApp Business encryption": a 2048-bit RSA key pair. */
const MIN_MODULUS_BITS = 2048;

/** A request that no key opens costs an RSA operation for each: more keys than this are a mistake, not a rotation. */
export const MAX_KEYS = 16;

/** Newest first, never empty, no key twice. */
export type KeyRing = readonly [HeldKey, ...HeldKey[]];

export interface HeldKey {
  readonly privateKey: KeyObject;
  /** First 16 hex digits of the SHA-256 of the public key (SPKI, DER): safe in logs and metrics. */
  readonly fingerprint: string;
  /** What a message calls it: a variable or a path. */
  readonly name: string;
  /** Of its file, epoch ms; undefined for a key given as text. */
  readonly modifiedAtMs: number | undefined;
}

export interface PrivateKeySource {
  /** What a message calls it: a variable or a path. */
  readonly name: string;
  /** PEM blocks, PKCS#1 or PKCS#8, encrypted or not; `\n` escapes, quotes and lost line breaks are repaired. */
  readonly text: string;
  /** Of the file, epoch ms. */
  readonly modifiedAtMs?: number | undefined;
}

/** @throws FlowgateError `SETTINGS_INVALID` with a sentence for every key that cannot be used. */
export function loadPrivateKeys(sources: readonly PrivateKeySource[], passphrase: string | undefined): KeyRing {
  const mistakes: string[] = [];
  const held = new Map<string, HeldKey>();
  for (const { name, text, modifiedAtMs } of sources) {
    for (const found of keysIn(text, passphrase)) {
      if (typeof found === 'string') {
        mistakes.push(`${name} ${found}`);
        continue;
      }
      const fingerprint = fingerprintOf(found);
      if (!held.has(fingerprint)) held.set(fingerprint, { privateKey: found, fingerprint, name, modifiedAtMs });
    }
  }
  if (held.size > MAX_KEYS) mistakes.push(`${held.size} private keys are too many: at most ${MAX_KEYS} are held`);
  const [newest, ...older] = held.values();
  if (mistakes.length > 0 || !newest) throw new FlowgateError('SETTINGS_INVALID', mistakes.join('; '));
  return [newest, ...older];
}

/** First 16 hex digits of the SHA-256 over the public half of `key`. */
export function fingerprintOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

/** @returns for each key in `text` what `parsePrivateKey` does; never nothing. */
function keysIn(text: string, passphrase: string | undefined): (KeyObject | string)[] {
  const { blocks, isCutShort } = pemBlocks(text);
  if (isCutShort) return ['is cut short: a PEM block in it begins and does not end'];
  if (blocks.length === 0) return ['holds no PEM key: expected a "-----BEGIN PRIVATE KEY-----" block'];
  return blocks.map((pem) => parsePrivateKey(pem, passphrase));
}

/** @returns the key, or the end of a sentence that says what is wrong and what would be right. */
function parsePrivateKey(pem: string, passphrase: string | undefined): KeyObject | string {
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? '';
  if (!label.endsWith('PRIVATE KEY')) return `is a ${label.toLowerCase()}: give the private key it belongs to`;
  const isEncrypted = label.startsWith('ENCRYPTED') || pem.includes('Proc-Type: 4,ENCRYPTED');
  if (isEncrypted && passphrase === undefined) return 'is encrypted: set PASSPHRASE (or PASSPHRASE_FILE)';
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: pem, ...(isEncrypted && { passphrase }) });
  } catch {
    return isEncrypted
      ? 'cannot be decrypted: PASSPHRASE is wrong, or the file is damaged'
      : 'is not a valid private key: the PEM is damaged';
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = privateKey;
  if (asymmetricKeyType !== 'rsa')
    return `is not an RSA key but ${asymmetricKeyType}: make one with: flowgate keys generate`;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_MODULUS_BITS) return `is an RSA key of ${bits} bits: Meta requires ${MIN_MODULUS_BITS}`;
  return privateKey;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const BEGIN = /-----BEGIN /g;

/** Finds the PEM blocks in text that went through an environment variable, or that someone is just writing. */
function pemBlocks(text: string): { blocks: string[]; isCutShort: boolean } {
  const unescaped = text.replaceAll('\\r', '').replaceAll('\\n', '\n').replaceAll('\r', '');
  const blocks = [...unescaped.matchAll(BLOCK)].map(([, label, body = '']) => {
    // A PEM whose line breaks became spaces, or nothing, gets them back; one with headers keeps its lines.
    const lines = body.trim().includes('\n')
      ? body.trim()
      : body.replaceAll(/\s+/g, '').replaceAll(/(.{64})(?=.)/g, '$1\n');
    return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  });
  return { blocks, isCutShort: (unescaped.match(BEGIN)?.length ?? 0) > blocks.length };
}
