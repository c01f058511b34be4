import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/json.ts';
import { parseMessageMedia, parseReceived } from '../../src/media/received.ts';

const sha256 = createHash('sha256').update('hello').digest();
const entry = { file_name: 'IMG.jpg', mime_type: 'image/jpeg', sha256: sha256.toString('base64'), id: '1034567' };
const invalid = expect.objectContaining({ code: 'MEDIA_INVALID' });

test('each entry of a completed picker becomes a file; its type is not believed', () => {
  expect(parseReceived([entry])).toEqual([{ mediaId: '1034567', name: 'IMG.jpg', sha256 }]);
});

test.each([undefined, null, '', []])('a picker left alone, %j, has no files', (value) => {
  expect(parseReceived(value)).toEqual([]);
});

test('the hash is read in base64 and in hexadecimal, and may be missing', () => {
  expect(parseReceived([{ ...entry, sha256: sha256.toString('hex') }])).toMatchObject([{ sha256 }]);
  expect(parseReceived([{ ...entry, sha256: sha256.toString('hex').toUpperCase() }])).toMatchObject([{ sha256 }]);
  expect(parseReceived([{ id: '1034567' }])).toEqual([{ mediaId: '1034567', name: undefined, sha256: undefined }]);
});

test.each<JsonValue>([
  entry,
  'x',
  [1],
  [{}],
  [{ ...entry, id: 1034567 }],
  [{ ...entry, id: '' }],
  [{ ...entry, id: '../me' }],
  [{ ...entry, id: '1?fields=token' }],
  [{ ...entry, id: '1/2' }],
  [{ ...entry, id: '1'.repeat(129) }],
  [{ ...entry, sha256: 'abc' }],
  [{ ...entry, sha256: null }],
  [{ ...entry, sha256: sha256.toString('base64url') }],
  Array(31).fill(entry),
])('%j is no value of a completed picker: MEDIA_INVALID', (value) => {
  expect(() => parseReceived(value)).toThrow(invalid);
});

test('the media of a message becomes a file', () => {
  const media = {
    id: '99',
    mimeType: 'application/pdf',
    sha256: entry.sha256,
    caption: 'the invoice',
    filename: '../invoice.pdf',
  };
  expect(parseMessageMedia(media)).toEqual({ mediaId: '99', name: 'invoice.pdf', sha256 });
  expect(() => parseMessageMedia({ ...media, id: undefined })).toThrow(invalid);
});
