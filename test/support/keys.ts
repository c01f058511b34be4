import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { fingerprintOf, type KeyRing } from '../../src/crypto/keyring.ts';

export interface TestKeyPair {
  /** SPKI PEM. */
  readonly publicKey: string;
  /** PKCS#8 PEM. */
  readonly privateKey: string;
}

export function makeKeyPair(modulusLength = 2048): TestKeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** One for each test file: making a key takes up to half a second. */
export const keyPair = makeKeyPair();

export function toKeyRing(...pairs: [TestKeyPair, ...TestKeyPair[]]): KeyRing {
  const [newest, ...older] = pairs.map(({ privateKey }) => {
    const key = createPrivateKey(privateKey);
    return { privateKey: key, fingerprint: fingerprintOf(key), name: 'a test', modifiedAtMs: undefined };
  });
  if (!newest) throw new Error('no key');
  return [newest, ...older];
}
