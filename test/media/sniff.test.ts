import { deflateRawSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { sniff } from '../../src/media/sniff.ts';

const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(64)]);

/** One entry of a ZIP, deflated. */
function zipEntry(name: string, content: string): Buffer {
  const packed = deflateRawSync(content);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(Buffer.byteLength(content), 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), packed]);
}
const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml';
const parts = `<Types><Override PartName="/word/document.xml" ContentType="${WORD}.document.main+xml"/></Types>`;

test.each<[string, string, Buffer]>([
  ['image/jpeg', 'jpg', bytes('ffd8ffe0')],
  ['image/png', 'png', bytes('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154')],
  ['application/pdf', 'pdf', Buffer.from('%PDF-1.7\n')],
  ['image/heic', 'heic', bytes('0000001866747970686569630000000068656963')],
  [`${WORD}.document`, 'docx', zipEntry('[Content_Types].xml', parts)],
  ['application/zip', 'zip', zipEntry('notes.txt', 'notes')],
  ['application/octet-stream', 'bin', Buffer.from('plain text')],
  ['application/x-msdownload', 'exe', Buffer.from('MZ')],
  ['application/octet-stream', 'bin', Buffer.alloc(0)],
])('a file is known by its bytes: %s, %s', async (mimeType, extension, head) => {
  expect(await sniff(head)).toEqual({ mimeType, extension });
});

test('bytes that are made to confuse are no failure', async () => {
  const full = zipEntry('[Content_Types].xml', parts);
  for (let length = 0; length < full.length; length += 7) {
    expect(await sniff(full.subarray(0, length))).toMatchObject({ mimeType: expect.any(String) });
  }
  for (const hex of [
    '1f8b08',
    '504b0304',
    '3026b2758e66cf11',
    '1a45dfa3',
    '49492a00',
    '4d4d002a',
    '494433030000ffff',
  ]) {
    expect(await sniff(bytes(hex))).toMatchObject({ extension: expect.any(String) });
  }
});

test('a library that fails leaves the file unknown', async () => {
  vi.doMock('file-type', () => ({ fileTypeFromBuffer: () => Promise.reject(new RangeError('out of bounds')) }));
  expect(await sniff(bytes('ffd8ffe0'))).toEqual({ mimeType: 'application/octet-stream', extension: 'bin' });
  vi.doUnmock('file-type');
});
