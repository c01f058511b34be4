import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Bodies, MAX_HELD_BYTES } from '../../../src/playground/graph/bodies.ts';
import { MAX_SENT, MAX_SENT_BYTES, SentLog } from '../../../src/playground/graph/sent-log.ts';
import { MAX_DOCUMENT_BYTES, Uploads } from '../../../src/playground/graph/uploads.ts';

const body = () => new PassThrough() as PassThrough & IncomingMessage;
const whole = (bytes: Buffer) => bytes.length;
const CHUNK = Buffer.alloc(1024 * 1024);

test('of all that is read at once no more is held than there is room for, and room comes back', async () => {
  const bodies = new Bodies();
  const first = body();
  const held = bodies.with(first, MAX_HELD_BYTES, whole);
  for (let bytes = 0; bytes < MAX_HELD_BYTES; bytes += CHUNK.length) {
    if (!first.write(CHUNK)) await new Promise((resolve) => first.once('drain', resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
  const tooMuch = body();
  tooMuch.end('x');
  await expect(bodies.with(tooMuch, 10, whole)).rejects.toMatchObject({ status: 503, code: 2 });
  first.end();
  expect(await held).toBe(MAX_HELD_BYTES);
  const after = body();
  after.end('x');
  expect(await bodies.with(after, 10, whole)).toBe(1);
});

test('a body that breaks off leaves room for others, and so does one that is refused or cannot be used', async () => {
  const bodies = new Bodies();
  const rejected = [];
  for (let n = 0; n < 2; n++) {
    const broken = body();
    broken.write(Buffer.alloc(MAX_HELD_BYTES / 2));
    setImmediate(() => broken.destroy(new Error('gone')));
    rejected.push(await bodies.with(broken, MAX_HELD_BYTES, whole).catch((error: Error) => error.message));
    const large = body();
    large.end(Buffer.alloc(1_000));
    rejected.push(await bodies.with(large, 999, whole).catch((error: Error) => error.message));
    const useless = body();
    useless.end(Buffer.alloc(MAX_HELD_BYTES / 2));
    const fail = () => Promise.reject(new Error('no use'));
    rejected.push(await bodies.with(useless, MAX_HELD_BYTES, fail).catch((error: Error) => error.message));
  }
  expect(rejected).toEqual(['gone', 'the body is too large', 'no use', 'gone', 'the body is too large', 'no use']);
  const after = body();
  after.end(Buffer.alloc(MAX_HELD_BYTES));
  expect(await bodies.with(after, MAX_HELD_BYTES, whole)).toBe(MAX_HELD_BYTES);
});

test('of what was sent no more is kept than there is room for', () => {
  const log = new SentLog(() => 7);
  const add = (bytes: number) => log.add({ kind: 'read', messageId: 'w', isTyping: false }, bytes);
  for (let n = 0; n < 4; n++) add(MAX_SENT_BYTES / 4);
  expect(log.after(0).map(({ seq, atMs }) => [seq, atMs])).toEqual([1, 2, 3, 4].map((seq) => [seq, 7]));
  add(1);
  expect(log.after(0).map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
  for (let n = 0; n < MAX_SENT + 10; n++) add(1);
  expect(log.after(0)).toHaveLength(MAX_SENT);
});

test('a document is as large as Meta takes it, and no larger', async () => {
  const uploads = new Uploads(() => '1');
  const upload = async (bytes: number) => {
    const form = new FormData();
    form.append('messaging_product', 'whatsapp');
    form.append('type', 'a/b');
    form.append('file', new Blob([Buffer.alloc(bytes)], { type: 'a/b' }), 'a');
    const request = new Response(form);
    return uploads.add(request.headers.get('content-type') ?? '', Buffer.from(await request.arrayBuffer()));
  };
  await expect(upload(0)).rejects.toMatchObject({ code: 131009 });
  expect(await upload(1)).toBe('1');
  await expect(upload(MAX_DOCUMENT_BYTES + 1)).rejects.toMatchObject({ code: 131009 });
});
