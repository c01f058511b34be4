import { createCipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decryptMedia, type MediaEncryption, MediaVerifier, sealedBytes } from '../../src/crypto/media.ts';
import { encryptMedia } from '../../src/testing/media.ts';

const VECTOR_FILE = Buffer.from('5005a3f6af03b3ea62f11d34e72358184dd5396ac4e0b1ec65da', 'hex');
const VECTOR: MediaEncryption = {
  encryptionKey: Buffer.alloc(32, 1),
  hmacKey: Buffer.alloc(32, 2),
  iv: Buffer.alloc(16, 3),
  encryptedHash: Buffer.from('6YJOLwAwsX/pSnS3D5z2e1PrxoWLe2fvC9GhUQAvEko=', 'base64'),
  plaintextHash: Buffer.from('LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=', 'base64'),
};

async function* chunksOf(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** Cut after each of `sizes`, the rest at the end. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let rest = bytes;
  for (const size of sizes) {
    chunks.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return [...chunks, rest];
}

function faultOf(chunks: readonly Buffer[], encryption: MediaEncryption) {
  const verifier = new MediaVerifier(encryption);
  for (const chunk of chunks) verifier.update(chunk);
  return verifier.fault();
}

async function decrypt(ciphertext: readonly Buffer[], encryption: MediaEncryption): Promise<Buffer> {
  const plain: Buffer[] = [];
  for await (const chunk of decryptMedia(chunksOf(...ciphertext), encryption)) plain.push(chunk);
  return Buffer.concat(plain);
}

/** What `encryptMedia` tells, decoded. */
function encryptionOf({ picked }: ReturnType<typeof encryptMedia>): MediaEncryption {
  const bytes = (base64: string) => Buffer.from(base64, 'base64');
  const { encryption_key, hmac_key, iv, encrypted_hash, plaintext_hash } = picked.encryption_metadata;
  return {
    encryptionKey: bytes(encryption_key),
    hmacKey: bytes(hmac_key),
    iv: bytes(iv),
    encryptedHash: bytes(encrypted_hash),
    plaintextHash: bytes(plaintext_hash),
  };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
const macOf = (ciphertext: Buffer) =>
  createHmac('sha256', VECTOR.hmacKey).update(VECTOR.iv).update(ciphertext).digest().subarray(0, 10);

test('the file of the test vector passes its checks and opens', async () => {
  expect(faultOf([VECTOR_FILE], VECTOR)).toBeUndefined();
  const plaintext = await decrypt([VECTOR_FILE.subarray(0, -10)], VECTOR);
  expect(plaintext.toString()).toBe('hello');
  expect(sha256(plaintext)).toEqual(VECTOR.plaintextHash);
});

test('the test kit makes the file and the metadata of the test vector', () => {
  const { file, picked } = encryptMedia(Buffer.from('hello'), { keys: VECTOR });
  expect(file).toEqual(VECTOR_FILE);
  expect(picked.encryption_metadata).toEqual({
    encrypted_hash: VECTOR.encryptedHash.toString('base64'),
    iv: 'AwMDAwMDAwMDAwMDAwMDAw==',
    encryption_key: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=',
    hmac_key: 'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=',
    plaintext_hash: VECTOR.plaintextHash.toString('base64'),
  });
});

test('any file opens to what was picked, in chunks of any size', async () => {
  const sizes = fc.array(fc.nat(40), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, async (bytes, cuts) => {
      const sealed = encryptMedia(bytes);
      const encryption = encryptionOf(sealed);
      expect(sealed.file.length).toBe(sealedBytes(bytes.length));
      expect(faultOf(cut(sealed.file, cuts), encryption)).toBeUndefined();
      const plaintext = await decrypt(cut(sealed.file.subarray(0, -10), cuts), encryption);
      expect(plaintext).toEqual(Buffer.from(bytes));
    }),
  );
});

test('a file with any bit changed, cut or added is not the one that was picked', () => {
  const sealed = encryptMedia(Buffer.from('an invoice of some length'));
  const encryption = encryptionOf(sealed);
  fc.assert(
    fc.property(fc.nat(sealed.file.length - 1), fc.nat(7), fc.array(fc.nat(20), { maxLength: 5 }), (at, bit, cuts) => {
      const changed = Buffer.from(sealed.file);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(faultOf(cut(changed, cuts), encryption)).toBe('hash');
      expect(faultOf([sealed.file.subarray(0, at)], encryption)).toBe('hash');
    }),
  );
  expect(faultOf([sealed.file, Buffer.from('x')], encryption)).toBe('hash');
});

test('a file whose hash was made to fit is still refused for its MAC, whichever bit of file, IV or key differs', () => {
  fc.assert(
    fc.property(fc.constantFrom('file', 'iv', 'hmacKey'), fc.nat(15), fc.nat(7), (where, at, bit) => {
      const flipped = (bytes: Buffer) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        return copy;
      };
      const file = where === 'file' ? flipped(VECTOR_FILE) : VECTOR_FILE;
      const encryption = {
        ...VECTOR,
        ...(where !== 'file' && { [where]: flipped(VECTOR[where as 'iv' | 'hmacKey']) }),
        encryptedHash: sha256(file),
      };
      expect(faultOf([file], encryption)).toBe('mac');
    }),
  );
});

test.each([0, 9])('each byte of the MAC counts: byte %i', (at) => {
  const file = Buffer.from(VECTOR_FILE);
  const index = file.length - 10 + at;
  file[index] = (file[index] ?? 0) ^ 1;
  expect(faultOf([file], { ...VECTOR, encryptedHash: sha256(file) })).toBe('mac');
});

test.each([0, 5, 10, 25, 27])('a file of %i bytes is no ciphertext, even with hash and MAC that fit', (length) => {
  const ciphertext = Buffer.alloc(Math.max(0, length - 10), 7);
  const file = Buffer.concat([ciphertext, macOf(ciphertext)]).subarray(0, length);
  expect(faultOf([file], { ...VECTOR, encryptedHash: sha256(file) })).toBe('length');
});

test('padding that is none is MEDIA_INVALID, though hash and MAC fit', async () => {
  const cipher = createCipheriv('aes-256-cbc', VECTOR.encryptionKey, VECTOR.iv).setAutoPadding(false);
  const ciphertext = Buffer.concat([cipher.update(Buffer.alloc(32)), cipher.final()]);
  const file = Buffer.concat([ciphertext, macOf(ciphertext)]);
  expect(faultOf([file], { ...VECTOR, encryptedHash: sha256(file) })).toBeUndefined();
  await expect(decrypt([ciphertext], VECTOR)).rejects.toMatchObject({ name: 'FlowgateError', code: 'MEDIA_INVALID' });
});

test.each(['encryptionKey', 'hmacKey', 'iv', 'encryptedHash', 'plaintextHash'] as const)(
  'a TypeError for a %s of another length',
  (part) => {
    for (const length of [0, 15, 17, 31, 33]) {
      expect(() => new MediaVerifier({ ...VECTOR, [part]: Buffer.alloc(length) })).toThrow(TypeError);
    }
  },
);

test('the verifier keeps no chunk it was given', () => {
  const sealed = encryptMedia(Buffer.alloc(100_000, 'a'));
  const verifier = new MediaVerifier(encryptionOf(sealed));
  const chunks = cut(sealed.file, [50_000, 7, 20_000]);
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    verifier.update(reused);
    reused.fill(0); // as a socket may do with its memory
  }
  expect(verifier.fault()).toBeUndefined();
});

test('plaintext comes as soon as its ciphertext is there', async () => {
  const sealed = encryptMedia(Buffer.alloc(64 * 1024));
  let given = 0;
  async function* counted() {
    for (const chunk of cut(sealed.file.subarray(0, -10), [16_384, 16_384, 16_384])) {
      given += 1;
      yield chunk;
    }
  }
  const plaintext = decryptMedia(counted(), encryptionOf(sealed));
  const { value } = await plaintext.next();
  expect([value?.length, given]).toEqual([16_384 - 16, 1]);
  await plaintext.return();
});
