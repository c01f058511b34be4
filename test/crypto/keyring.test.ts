import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadPrivateKeys } from '../../src/crypto/keyring.ts';
import { FlowgateError } from '../../src/errors.ts';
import { makeKeyPair } from '../support/keys.ts';

const pair = makeKeyPair();
const PASSPHRASE = 'correct horse';
const source = createPrivateKey(pair.privateKey);
const exported = (type: 'pkcs1' | 'pkcs8', passphrase?: string) =>
  String(source.export({ type, format: 'pem', ...(passphrase && { cipher: 'aes-256-cbc', passphrase }) } as never));

const load = (text: string, passphrase?: string) => loadPrivateKeys([{ name: 'PRIVATE_KEY', text }], passphrase);

const pem = exported('pkcs8');
test.each([
  ['PKCS#8', pem],
  ['PKCS#1', exported('pkcs1')],
  ['PKCS#8, encrypted', exported('pkcs8', PASSPHRASE)],
  ['PKCS#1, encrypted', exported('pkcs1', PASSPHRASE)],
  ['a PEM with \\n escapes', pem.replaceAll('\n', '\\n')],
  ['an encrypted PKCS#1 PEM with \\n escapes', exported('pkcs1', PASSPHRASE).replaceAll('\n', '\\n')],
  ['a PEM in quotes', `"${pem}"`],
  ['a PEM with CRLF', pem.replaceAll('\n', '\r\n')],
  ['a PEM whose line breaks became spaces', pem.replaceAll('\n', ' ')],
  ['a PEM that lost its line breaks', pem.replaceAll('\n', '')],
  ['a PEM after openssl comments', `Bag Attributes\n  friendlyName: x\n${pem}`],
])('reads %s', (_, text) => {
  const [{ privateKey }] = load(text, PASSPHRASE);
  expect(privateKey.equals(source)).toBe(true);
});

test('holds several keys, newest first, and the same key once', () => {
  const other = makeKeyPair();
  const ring = loadPrivateKeys(
    [
      { name: 'new.pem', text: other.privateKey },
      { name: 'both.pem', text: `${pair.privateKey}\n${other.privateKey}` },
    ],
    undefined,
  );
  expect(ring.map(({ privateKey }) => privateKey.equals(source))).toEqual([false, true]);
});

test('a fingerprint is 16 hex digits and depends on the key alone', () => {
  const [{ fingerprint }] = load(exported('pkcs1'));
  expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(load(exported('pkcs8', PASSPHRASE), PASSPHRASE)[0].fingerprint).toBe(fingerprint);
});

const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
test.each([
  ['a key that is not RSA', String(ecKey), undefined, 'PRIVATE_KEY is not an RSA key but ec'],
  [
    'a key under 2048 bits',
    makeKeyPair(1024).privateKey,
    undefined,
    'PRIVATE_KEY is an RSA key of 1024 bits: Meta requires 2048',
  ],
  [
    'a wrong passphrase',
    exported('pkcs8', PASSPHRASE),
    'wrong',
    'PRIVATE_KEY cannot be decrypted: PASSPHRASE is wrong',
  ],
  ['a wrong passphrase for PKCS#1', exported('pkcs1', PASSPHRASE), 'wrong', 'PRIVATE_KEY cannot be decrypted'],
  ['a missing passphrase', exported('pkcs8', PASSPHRASE), undefined, 'PRIVATE_KEY is encrypted: set PASSPHRASE'],
  ['a public key', pair.publicKey, undefined, 'PRIVATE_KEY is a public key: give the private key'],
  ['a damaged PEM', pem.replace('MII', 'AAA'), undefined, 'PRIVATE_KEY is not a valid private key'],
  ['a text that is no PEM', 'hunter2'.repeat(9), undefined, 'PRIVATE_KEY holds no PEM key'],
])('refuses %s with a sentence, and no key in it', (_, text, passphrase, sentence) => {
  const refusal = (() => {
    try {
      load(text, passphrase);
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(refusal).toBeInstanceOf(FlowgateError);
  const { code, message } = refusal as FlowgateError;
  expect(code).toBe('SETTINGS_INVALID');
  expect(message).toContain(sentence);
  expect(message).not.toContain(text.slice(30, 60));
});
