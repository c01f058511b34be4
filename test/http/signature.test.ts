import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toAppSecrets, verifySignature } from '../../src/http/signature.ts';

const body = Buffer.from('{"a":"\\u00e4\\/x"}');
const secrets = toAppSecrets(['secret']);
const header = 'sha256=c6a500841ff132b8ba0aae290b3d6e26f94fcca83973cba8f2c35944719c8f9a';

const signatureOf = (bytes: Buffer, secret: string) =>
  `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`;

describe('verifySignature', () => {
  test('returns the bytes as they were signed, escapes and all', () => {
    expect(body.byteLength).toBe(17);
    expect(verifySignature(body, header, secrets).bytes).toBe(body);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['one digit short', header.slice(0, -1)],
    ['one digit long', `${header}0`],
    ['in upper case', header.toUpperCase()],
    ['of upper-case digits', `sha256=${header.slice(7).toUpperCase()}`],
    ['wrong', `sha256=${'0'.repeat(64)}`],
    ['made with another secret', signatureOf(body, 'Secret')],
    ['doubled', `${header}, ${header}`],
    ['without its prefix', header.slice(7)],
    ['of another prefix', header.replace('sha256', 'sha1')],
    ['followed by a line break', `${header}\n`],
    ['preceded by a space', ` ${header}`],
  ])('throws SIGNATURE_INVALID for a header that is %s', (_, bad) => {
    expect(() => verifySignature(body, bad, secrets)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  });

  test('accepts a signature of the older secret while both are held', () => {
    const both = toAppSecrets(['newer', 'secret']);
    expect(verifySignature(body, header, both).bytes).toBe(body);
    expect(verifySignature(body, signatureOf(body, 'newer'), both).bytes).toBe(body);
  });

  test('gives a body one fingerprint, whichever secret it was signed with', () => {
    const both = toAppSecrets(['newer', 'secret']);
    const { fingerprint } = verifySignature(body, header, both);
    expect(fingerprint).toHaveLength(16);
    expect(verifySignature(body, signatureOf(body, 'newer'), both).fingerprint).toBe(fingerprint);
  });

  test('gives another body another fingerprint', () => {
    const other = Buffer.from('{"a":"ä/x"}');
    const { fingerprint } = verifySignature(other, signatureOf(other, 'secret'), secrets);
    expect(fingerprint).not.toBe(verifySignature(body, header, secrets).fingerprint);
  });

  test('throws when any one bit of the body or of the signature is flipped', () => {
    const flipped = (bytes: Uint8Array, bit: number) =>
      Buffer.from(bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)));
    const bodyAndBits = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .chain((bytes) => fc.tuple(fc.constant(Buffer.from(bytes)), fc.nat(bytes.length * 8 - 1), fc.nat(32 * 8 - 1)));
    fc.assert(
      fc.property(bodyAndBits, ([bytes, bodyBit, signatureBit]) => {
        const right = signatureOf(bytes, 'secret');
        expect(verifySignature(bytes, right, secrets).bytes).toBe(bytes);
        const wrong = `sha256=${flipped(Buffer.from(right.slice(7), 'hex'), signatureBit).toString('hex')}`;
        expect(() => verifySignature(flipped(bytes, bodyBit), right, secrets)).toThrow();
        expect(() => verifySignature(bytes, wrong, secrets)).toThrow();
      }),
      { seed: 17 },
    );
  });
});
