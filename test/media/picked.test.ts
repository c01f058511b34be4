import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { safeName } from '../../src/media/file-name.ts';
import { MAX_FILES, parsePicked } from '../../src/media/picked.ts';
import { encryptMedia } from '../../src/testing/media.ts';

const KEYS = { encryptionKey: Buffer.alloc(32, 1), hmacKey: Buffer.alloc(32, 2), iv: Buffer.alloc(16, 3) };
const { picked } = encryptMedia(Buffer.from('hello'), { keys: KEYS, mediaId: '790aba14', fileName: 'IMG_5237.jpg' });
const metadata: JsonObject = { ...picked.encryption_metadata };
const entry: JsonObject = { ...picked, encryption_metadata: metadata };
const invalid = expect.objectContaining({ name: 'FlowgateError', code: 'MEDIA_INVALID' });

test('each entry of a picker becomes a file', () => {
  expect(parsePicked([entry, { ...entry, media_id: 'another' }])).toMatchObject([
    { mediaId: '790aba14', name: 'IMG_5237.jpg', cdnUrl: picked.cdn_url, encryption: KEYS },
    { mediaId: 'another' },
  ]);
});

test('keys that are not documented yet are let through', () => {
  const newer = { ...entry, mime_type: 'image/jpeg', encryption_metadata: { ...metadata, version: 2 } };
  expect(parsePicked([newer])).toHaveLength(1);
});

test.each([undefined, null, '', []])('a picker left alone, %j, has no files', (value) => {
  expect(parsePicked(value)).toEqual([]);
});

test('30 files are the most that a picker has', () => {
  expect(parsePicked(Array(MAX_FILES).fill(entry))).toHaveLength(30);
  expect(() => parsePicked(Array(MAX_FILES + 1).fill(entry))).toThrow(invalid);
});

test.each<JsonValue>(['a', 0, true, {}, entry, [null], ['a'], [[entry]], [entry, 1], [{}]])(
  '%j is no value of a picker: MEDIA_INVALID',
  (value) => {
    expect(() => parsePicked(value)).toThrow(invalid);
  },
);

test.each(['media_id', 'cdn_url', 'encryption_metadata'])('an entry without a good %s is MEDIA_INVALID', (key) => {
  const { [key]: _, ...without } = entry;
  for (const bad of [
    without,
    ...[null, '', 1, [], {}, 'x'.repeat(5_000)].map((value) => ({ ...entry, [key]: value })),
  ]) {
    expect(() => parsePicked([bad])).toThrow(
      expect.objectContaining({ code: 'MEDIA_INVALID', message: expect.not.stringContaining('xxx') }),
    );
  }
});

test.each(Object.keys(metadata))('%s is base64 of the one length it can have, or MEDIA_INVALID', (key) => {
  const good = String(metadata[key]);
  const bytes = Buffer.from(good, 'base64');
  const nonCanonical = good.replace(/.(=+)$/, (_, padding: string) => `/${padding}`); // stray bits before the padding
  expect(nonCanonical).not.toBe(good);
  const bad: (JsonValue | undefined)[] = [
    undefined,
    null,
    1,
    [],
    '',
    good.replace(/=+$/, ''),
    `${good.slice(1)} `,
    `-${good.slice(1)}`,
    `\n${good}`,
    `data:;base64,${good}`,
    bytes.toString('hex'),
    bytes.subarray(1).toString('base64'),
    Buffer.concat([bytes, bytes.subarray(0, 1)]).toString('base64'),
    nonCanonical,
  ];
  for (const value of bad) {
    const broken = { ...metadata, [key]: value } as JsonObject;
    expect(() => parsePicked([{ ...entry, encryption_metadata: broken }])).toThrow(
      expect.objectContaining({ code: 'MEDIA_INVALID', message: `a file of the picker has no valid ${key}` }),
    );
  }
});

test('whatever JSON comes, it is files or MEDIA_INVALID, and no message shows it', () => {
  const near = fc.record(
    {
      media_id: fc.jsonValue(),
      cdn_url: fc.oneof(fc.webUrl(), fc.jsonValue()),
      file_name: fc.jsonValue(),
      encryption_metadata: fc.oneof(fc.constant(metadata), fc.dictionary(fc.string(), fc.jsonValue())),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(near)), (value) => {
      try {
        expect(Array.isArray(parsePicked(value as JsonValue))).toBe(true);
      } catch (error) {
        expect(error).toEqual(invalid);
        expect((error as Error).message).toMatch(/^[a-z0-9_,: ]+$/);
      }
    }),
  );
});

test.each([
  ['IMG_5237.jpg', 'IMG_5237.jpg'],
  ['Rechnung März.pdf', 'Rechnung März.pdf'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\me\\photo.jpg', 'photo.jpg'],
  ['/etc/cron.d/', undefined],
  ['..', undefined],
  ['.', undefined],
  ['...', undefined],
  ['', undefined],
  [' ', undefined],
  ['.htaccess', 'htaccess'],
  ['photo\u0000.jpg', 'photo.jpg'],
  ['a\r\nSet-Cookie: b', 'aSet-Cookie_ b'],
  ['gpj.\u202eexe', 'gpj.exe'],
  ['a<script>.png', 'a_script_.png'],
  ['name.  ', 'name'],
  ['\ud800', undefined],
  [42, undefined],
  [null, undefined],
  [['a'], undefined],
])('of the file name %j the hint %j is left', (name, hint) => {
  expect(safeName(name)).toBe(hint);
});

test('a name is never a path and never over 200 bytes, and keeps its end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
      const hint = safeName(name);
      if (hint === undefined) return;
      expect(hint).not.toMatch(/[/\\\p{C}]|^\.|^$/u);
      expect(Buffer.byteLength(hint)).toBeLessThanOrEqual(200);
    }),
  );
  expect(safeName(`a${'.'.repeat(1_000_000)}b`)).toBe('b'); // and at once
  expect(safeName(`${'ä'.repeat(300)}.jpg`)).toBe(`${'ä'.repeat(98)}.jpg`);
  expect(safeName(`${'x'.repeat(196)}.jpg`)).toBe(`${'x'.repeat(196)}.jpg`);
});
