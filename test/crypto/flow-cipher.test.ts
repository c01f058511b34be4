import { constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openPayload, sealReply, unwrapAesKey } from '../../src/crypto/flow-cipher.ts';
import { makeKeyPair, toKeyRing } from '../support/keys.ts';

// The vector of the protocol notes: computed with two libraries, not published by Meta.
const aesKey = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const iv = Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex');

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const newest = makeKeyPair();
const older = makeKeyPair();
const ring = toKeyRing(newest, older).map(({ privateKey }) => privateKey);

test('openPayload opens the test vector', () => {
  const sealed = Buffer.from('vryB0w/BTee4OvmgkgEf9dnfQfwZb8iWi7yl5iotFMJeuQl749lOptdzv/L1T2V2PA==', 'base64');
  expect(openPayload(sealed, iv, aesKey)?.toString()).toBe('{"version":"3.0","action":"ping"}');
});

test('sealReply seals the test vector, with every bit of the IV inverted', () => {
  const reply = sealReply('{"data":{"status":"active"}}', { aesKey, requestIv: iv });
  expect(reply).toBe('IHgL0mWXHJ6FDPLH6+aygF5BfT+mPzwvzktiKvlmYpg8eFKqJX/07YVStaI=');
});

test('openPayload opens whatever was sealed, and nothing with one bit flipped', () => {
  const flip = fc.record({ part: fc.constantFrom('sealed', 'iv', 'key'), at: fc.nat() });
  fc.assert(
    fc.property(fc.json(), flip, (text, { part, at }) => {
      fc.pre(Buffer.byteLength(text) >= 2);
      const cipher = createCipheriv('aes-128-gcm', aesKey, iv, { authTagLength: 16 });
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      expect(openPayload(sealed, iv, aesKey)?.toString()).toBe(text);

      const parts = { sealed: Buffer.from(sealed), iv: Buffer.from(iv), key: Buffer.from(aesKey) };
      const target = parts[part as keyof typeof parts];
      const bit = at % (target.byteLength * 8);
      target[bit >> 3] = (target[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openPayload(parts.sealed, parts.iv, parts.key)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['an IV of 12 bytes', 12, 40],
  ['an IV of 17 bytes', 17, 40],
  ['data shorter than a tag', 16, 10],
  ['data that holds nothing but a tag', 16, 16],
])('openPayload refuses %s', (_, ivBytes, dataBytes) => {
  expect(openPayload(randomBytes(dataBytes), randomBytes(ivBytes), aesKey)).toBeUndefined();
});

test('unwrapAesKey opens with the newest key and with an older one', () => {
  for (const { publicKey } of [newest, older]) {
    expect(unwrapAesKey(publicEncrypt({ key: publicKey, ...OAEP }, aesKey), ring)).toEqual(aesKey);
  }
});

test('unwrapAesKey answers undefined for a foreign key, a wrong length, PKCS#1 padding, SHA-1, or a key that is no AES-128 key', () => {
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const wrapped = {
    foreign: publicEncrypt({ key: foreign, ...OAEP }, aesKey),
    short: randomBytes(255),
    long: randomBytes(257),
    empty: Buffer.alloc(0),
    pkcs1: publicEncrypt({ key: newest.publicKey, padding: constants.RSA_PKCS1_PADDING }, aesKey),
    sha1: publicEncrypt({ key: newest.publicKey, ...OAEP, oaepHash: 'sha1' }, aesKey),
    aes256: publicEncrypt({ key: newest.publicKey, ...OAEP }, randomBytes(32)),
  };
  for (const [name, key] of Object.entries(wrapped)) expect(unwrapAesKey(key, ring), name).toBeUndefined();
});
