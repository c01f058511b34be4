/** A picked file on its way from a CDN that is not always kind, to a handler that gets all of it or nothing. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import type { Resolve } from '../../src/media/addresses.ts';
import type { DownloadedFile } from '../../src/media/downloaded-file.ts';
import { Media, type MediaDeps, type MediaOptions } from '../../src/media/media.ts';
import { issueLeaf, issueRoot } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import {
  compressed,
  cutOff,
  endless,
  FakeCdn,
  raw,
  redirect,
  reset,
  sent,
  sentInChunks,
  silent,
  stalled,
  status,
  webPage,
} from '../support/fake-cdn.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { canSeeOpenFiles, openFilesIn } from '../support/open-files.ts';
import { closedUrl } from '../support/proxy.ts';

const directory = temporaryDirectory();
const JPEG = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(200_000)]);
let cdn: FakeCdn;

beforeEach(async () => {
  cdn = await FakeCdn.start();
});

afterEach(async () => {
  await cdn[Symbol.asyncDispose]();
  expect(readdirSync(directory)).toEqual([]);
  if (canSeeOpenFiles) expect(openFilesIn(directory)).toEqual([]);
});

const create = (options: MediaOptions = {}, deps: MediaDeps = {}) =>
  new Media({ hosts: [cdn.origin], directory, ...options }, deps);

/** Downloads the one file of a picker and lets `use` have it. */
async function withFile<T>(
  entry: JsonObject,
  use: (file: DownloadedFile) => T | Promise<T>,
  { media = create(), signal }: { media?: Media; signal?: AbortSignal } = {},
): Promise<T> {
  await using scope = media.scope(signal);
  const [file] = scope.picked([entry]);
  if (!file) throw new Error('no file was picked');
  return await use(await file.download());
}

const download = (entry: JsonObject, context: { media?: Media; signal?: AbortSignal } = {}) =>
  withFile(entry, (file) => file.bytes(), context);

/** The failure, and that it says nothing of the file's link, name and keys. */
async function failure(entry: JsonObject, context: { media?: Media } = {}): Promise<Record<string, unknown>> {
  const error = await download(entry, context).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error).toMatchObject({ code: expect.stringMatching(/^MEDIA_(INVALID|UNAVAILABLE)$/) });
  const shown = `${error?.message} ${JSON.stringify(error)} ${String(error?.cause)}`;
  const { cdn_url, file_name, encryption_metadata } = entry;
  const secrets = [cdn_url, new URL(String(cdn_url)).hostname, file_name, ...Object.values(encryption_metadata ?? {})];
  for (const secret of secrets) expect(shown).not.toContain(secret);
  return { code: error?.name === 'TypeError' ? 'TypeError' : undefined, ...error, message: error?.message };
}

/** Without looking at each byte for a difference to show. */
const expectSame = (bytes: Buffer, expected: Buffer) => expect(bytes.equals(expected)).toBe(true);

const withMetadata = (entry: JsonObject, changed: JsonObject): JsonObject => ({
  ...entry,
  encryption_metadata: { ...(entry['encryption_metadata'] as JsonObject), ...changed },
});

const flipped = (file: Buffer, at: number) => {
  const copy = Buffer.from(file);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
};

describe('a file as it should be', () => {
  test('arrives as it was picked, with its size, hash and the type that its bytes tell', async () => {
    const entry = cdn.pick(JPEG, undefined, { fileName: 'invoice.pdf' });
    await withFile(entry, async (file) => {
      expect(file).toMatchObject({
        mimeType: 'image/jpeg',
        extension: 'jpg',
        sizeBytes: JPEG.length,
        sha256: createHash('sha256').update(JPEG).digest('hex'),
      });
      expectSame(await file.bytes(), JPEG);
    });
  });

  test('is asked for as it is, without credentials', async () => {
    await download(cdn.pick('hello'));
    expect(cdn.requests).toHaveLength(1);
    const { headers } = cdn.requests[0] ?? {};
    expect(headers).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'flowgate' });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
  });

  test.each([0, 1, 15, 16, 17, 65_535, 65_536, 65_546])('may have %i bytes', async (length) => {
    const plaintext = randomBytes(length);
    expectSame(await download(cdn.pick(plaintext)), plaintext);
    expectSame(await download(cdn.pick(plaintext, sentInChunks)), plaintext);
  });

  test('is unknown to us as plain text, which is no failure', async () => {
    for (const text of ['', 'a note', '<svg onload="alert(1)"></svg>']) {
      const kind = await withFile(cdn.pick(text, undefined, { fileName: 'a.jpg' }), ({ mimeType, extension }) => ({
        mimeType,
        extension,
      }));
      expect(kind).toEqual({ mimeType: 'application/octet-stream', extension: 'bin' });
    }
  });

  test('comes over TLS from a host whose certificate is trusted, and from no other', async () => {
    const root = issueRoot('Root of the CDN');
    const leaf = issueLeaf('cdn', root);
    await using overTls = await FakeCdn.start({ cert: leaf.certificate, key: leaf.key });
    const entry = overTls.pick('hello');
    const options = { hosts: [overTls.origin], directory };
    expect(await download(entry, { media: new Media(options, { ca: root.certificate }) })).toEqual(
      Buffer.from('hello'),
    );
    expect(await failure(entry, { media: new Media(options) })).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      message: 'the file could not be downloaded (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    });
  });
});

describe('a file that is not the one that was picked is MEDIA_INVALID', () => {
  test.each<[string, (file: Buffer) => ReturnType<typeof sent>, string]>([
    ['a web page in its place', () => webPage(), 'the host answered with a web page in place of the file'],
    ['one bit changed at its beginning', (file) => sent(flipped(file, 0)), 'hash differs'],
    ['one bit of its MAC changed', (file) => sent(flipped(file, -1)), 'hash differs'],
    ['a byte short', (file) => sent(file.subarray(0, -1)), 'hash differs'],
    ['a byte short without a length', (file) => sentInChunks(file.subarray(0, -1)), 'hash differs'],
    ['a byte too long', (file) => sent(Buffer.concat([file, Buffer.alloc(1)])), 'hash differs'],
    ['nothing at all', () => sent(Buffer.alloc(0)), 'hash differs'],
    ['compressed', compressed, 'compressed'],
    ['the plaintext', () => sent(JPEG), 'hash differs'],
  ])('%s', async (_, behave, message) => {
    const error = await failure(cdn.pick(JPEG, behave));
    expect(error).toMatchObject({ code: 'MEDIA_INVALID', message: expect.stringContaining(message) });
    expect(cdn.requests).toHaveLength(1);
  });

  test('a wrong MAC key, with a hash that fits', async () => {
    const entry = withMetadata(cdn.pick(JPEG), { hmac_key: randomBytes(32).toString('base64') });
    expect(await failure(entry)).toMatchObject({ code: 'MEDIA_INVALID', message: expect.stringContaining('MAC') });
  });

  test('a wrong encryption key', async () => {
    const entry = withMetadata(cdn.pick(JPEG), { encryption_key: randomBytes(32).toString('base64') });
    expect(await failure(entry)).toMatchObject({ code: 'MEDIA_INVALID' });
  });

  test('a plaintext whose hash is another, though all else fits', async () => {
    const entry = withMetadata(cdn.pick(JPEG), { plaintext_hash: randomBytes(32).toString('base64') });
    const message = expect.stringContaining('hash of its content');
    expect(await failure(entry)).toMatchObject({ code: 'MEDIA_INVALID', message });
  });
});

describe('the size is limited', () => {
  const maxBytes = 1_000;
  const limited = () => create({ maxBytes });
  const tooLarge = { code: 'MEDIA_INVALID', message: 'the file is over the size limit (option maxBytes)' };

  test('a file of exactly the limit comes, one byte more does not', async () => {
    const atLimit = randomBytes(maxBytes);
    expectSame(await download(cdn.pick(atLimit), { media: limited() }), atLimit);
    expect(await failure(cdn.pick(randomBytes(1_001)), { media: limited() })).toMatchObject(tooLarge); // as long when sealed
    expect(await failure(cdn.pick(randomBytes(1_008)), { media: limited() })).toMatchObject(tooLarge);
    expect(await failure(cdn.pick(randomBytes(1_008), sentInChunks), { media: limited() })).toMatchObject(tooLarge);
  });

  test('a length that is announced over the limit is believed, and nothing is read', async () => {
    const announced = cdn.pick('x', () => (response) => {
      response.writeHead(200, { 'Content-Length': 10_000_000_000 });
      response.flushHeaders();
    });
    expect(await failure(announced, { media: limited() })).toMatchObject(tooLarge);
  });

  test('a file without an end is cut at the limit', async () => {
    let sentBytes = 0;
    const entry = cdn.pick('x', () =>
      endless((bytes) => {
        sentBytes += bytes;
      }),
    );
    expect(await failure(entry, { media: create({ maxBytes: 300_000 }) })).toMatchObject({ code: 'MEDIA_INVALID' });
    expect(sentBytes).toBeGreaterThan(300_000);
    const atTheEnd = sentBytes;
    await eventually(() => expect(sentBytes).toBe(atTheEnd)); // the connection was closed
  });

  test.each([0, -1, 1.5, Number.NaN, 104_857_601])('%s is no limit: a TypeError', (bytes) => {
    expect(() => create({ maxBytes: bytes })).toThrow(TypeError);
  });
});

describe('a host that does not give the file is MEDIA_UNAVAILABLE', () => {
  test.each([
    [404, false],
    [403, false],
    [410, false],
    [204, false],
    [206, false],
    [304, false],
    [400, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])('with status %i, which %s changes with time', async (code, isTransient) => {
    const error = await failure(cdn.pick(JPEG, () => status(code)));
    expect(error).toMatchObject({ code: 'MEDIA_UNAVAILABLE', status: code, isTransient });
    expect(error['message']).toContain(`answered ${code}`);
    expect(cdn.requests).toHaveLength(1);
  });

  test('when a connection is lost twice; once is made good', async () => {
    const half = (file: Buffer) => cutOff(file, 100_000);
    expect(await failure(cdn.pick(JPEG, half))).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      isTransient: true,
      message: 'the file could not be downloaded (ECONNRESET)',
    });
    expect(cdn.requests).toHaveLength(2);
    const whole = cdn.pick(JPEG);
    const file = JPEG;
    for (const first of [reset(), cutOff(file, 0)]) {
      const url = cdn.serve(first, redirect(String(whole['cdn_url'])));
      expectSame(await download({ ...whole, cdn_url: url }), JPEG);
    }
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'X-Filler: 0123456789\r\n'.repeat(5_000)}`],
    ['nothing', ''],
  ])('when it answers with %s', async (_, bytes) => {
    expect(await failure(cdn.pick(JPEG, () => raw(bytes)))).toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  });

  test('when nothing listens there', async () => {
    const entry = cdn.pick(JPEG);
    const origin = await closedUrl();
    const media = create({ hosts: [origin] });
    expect(await failure({ ...entry, cdn_url: `${origin}/v/0` }, { media })).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      isTransient: true,
      message: 'the file could not be downloaded (ECONNREFUSED)',
    });
  });
});

describe('only allowed hosts at allowed addresses are called', () => {
  const resolving =
    (address: string): Resolve =>
    (_, __, callback) =>
      callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]);

  test('a link elsewhere is refused before anything is sent', async () => {
    const entry = cdn.pick(JPEG);
    const media = create({ hosts: ['*.whatsapp.net'] });
    expect(await failure(entry, { media })).toMatchObject({ code: 'MEDIA_UNAVAILABLE', isTransient: false });
    expect(cdn.connections).toBe(0);
  });

  test.each(['127.0.0.1', '::1', '10.1.2.3', '169.254.169.254', '::ffff:127.0.0.1'])(
    'an allowed name that resolves to %s is not connected to',
    async (address) => {
      let lookups = 0;
      const resolve: Resolve = (...args) => {
        lookups += 1;
        resolving(address)(...args);
      };
      const media = create({ hosts: ['*.whatsapp.net'] }, { resolve });
      const entry = { ...cdn.pick(JPEG), cdn_url: 'https://mmg.whatsapp.net/v/1' };
      expect(await failure(entry, { media })).toMatchObject({
        code: 'MEDIA_UNAVAILABLE',
        isTransient: false,
        message: expect.stringContaining('not public'),
      });
      expect(lookups).toBe(1);
      expect(cdn.connections).toBe(0);
    },
  );

  test('a name that does not exist says so, and not which', async () => {
    const resolve: Resolve = (_, __, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND mmg.whatsapp.net'), { code: 'ENOTFOUND' }), []);
    const media = create({ hosts: ['*.whatsapp.net'] }, { resolve });
    const entry = { ...cdn.pick(JPEG), cdn_url: 'https://mmg.whatsapp.net/v/1' };
    expect(await failure(entry, { media })).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      message: 'the file could not be downloaded (ENOTFOUND)',
    });
  });

  test('three redirects are followed, a fourth is not', async () => {
    const entry = cdn.pick(JPEG);
    const first = cdn.serve(redirect(String(entry['cdn_url']), 301));
    const second = cdn.serve(redirect(new URL(first).pathname, 307)); // relative
    const third = cdn.serve(redirect(second, 308));
    expectSame(await download({ ...entry, cdn_url: third }), JPEG);
    const fourth = cdn.serve(redirect(third, 303));
    const before = cdn.requests.length;
    expect(await failure({ ...entry, cdn_url: fourth })).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      message: expect.stringContaining('redirects more than 3 times'),
    });
    expect(cdn.requests.length - before).toBe(4);
  });

  test('a redirect whose body does not end is left at once', async () => {
    const entry = cdn.pick(JPEG);
    let isLeft = false;
    const url = cdn.serve((response) => {
      response.once('close', () => {
        isLeft = true;
      });
      response.writeHead(302, { Location: String(entry['cdn_url']) }).write('moved, ');
    });
    await withFile({ ...entry, cdn_url: url }, () => eventually(() => expect(isLeft).toBe(true)));
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost/',
    'http://[::1]/',
    'file:///etc/passwd',
    '//evil.example/',
    'https://user:secret@mmg.whatsapp.net/',
    'http://mmg.whatsapp.net/',
    'http://',
  ])('a redirect to %s is refused', async (target) => {
    const entry = cdn.pick(JPEG, () => redirect(target));
    const media = create({ hosts: [cdn.origin, '*.whatsapp.net'] });
    expect(await failure(entry, { media })).toMatchObject({ code: 'MEDIA_UNAVAILABLE', isTransient: false });
    expect(cdn.requests).toHaveLength(1);
  });

  test('a redirect to an allowed name at a private address is refused', async () => {
    const entry = cdn.pick(JPEG, () => redirect('https://internal.whatsapp.net/'));
    const media = create({ hosts: [cdn.origin, '*.whatsapp.net'] }, { resolve: resolving('10.0.0.5') });
    expect(await failure(entry, { media })).toMatchObject({ message: expect.stringContaining('not public') });
  });

  test('a redirect without a target is a status like any other', async () => {
    const entry = cdn.pick(JPEG, () => status(302));
    expect(await failure(entry)).toMatchObject({ code: 'MEDIA_UNAVAILABLE', status: 302 });
  });
});

describe('every wait has an end', () => {
  const slow = { code: 'MEDIA_UNAVAILABLE', isTransient: true, message: 'the host of the file is too slow' };

  /** Lets `ms` pass once the download waits for as long, and says whether it ended just then. */
  async function expectEndAfter(ms: number, ended: Promise<Record<string, unknown>>, clock: FakeClock) {
    let isOver = false;
    const over = ended.then((error) => {
      isOver = true;
      return error;
    });
    await eventually(() => expect(clock.nextInMs).toBe(ms));
    clock.advance(ms - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    clock.advance(1);
    const error = await over;
    expect(clock.pending).toBe(0);
    return error;
  }

  test('for a connection: 5 s, with the TLS handshake', async () => {
    const clock = new FakeClock();
    const deaf = createServer(() => {}).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const origin = `https://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    const entry = { ...cdn.pick(JPEG), cdn_url: `${origin}/v/0` };
    const ended = failure(entry, { media: create({ hosts: [origin] }, { clock }) });
    expect(await expectEndAfter(5_000, ended, clock)).toMatchObject(slow);
    deaf.close();
  });

  test('for the address of a name: 5 s', async () => {
    const clock = new FakeClock();
    const media = create({ hosts: ['*.whatsapp.net'] }, { clock, resolve: () => {} });
    const entry = { ...cdn.pick(JPEG), cdn_url: 'https://mmg.whatsapp.net/v/1' };
    expect(await expectEndAfter(5_000, failure(entry, { media }), clock)).toMatchObject(slow);
  });

  test('for the head of the reply: 10 s', async () => {
    const clock = new FakeClock();
    const ended = failure(cdn.pick(JPEG, silent), { media: create({}, { clock }) });
    await eventually(() => expect(cdn.requests).toHaveLength(1));
    expect(await expectEndAfter(10_000, ended, clock)).toMatchObject(slow);
  });

  test('between two pieces of the body: 10 s', async () => {
    const clock = new FakeClock();
    const media = create({}, { clock });
    const ended = failure(
      cdn.pick(JPEG, (file) => stalled(file, 1_000)),
      { media },
    );
    await eventually(() => expect(cdn.requests).toHaveLength(1));
    if (canSeeOpenFiles) await eventually(() => expect(openFilesIn(directory)).toHaveLength(1));
    await eventually(() => expect(readdirSync(directory)).toEqual([])); // it has no name, even now
    expect(await expectEndAfter(10_000, ended, clock)).toMatchObject(slow);
    expect(cdn.requests).toHaveLength(1);
  });

  test('for a trickle that never pauses: 60 s in all', async () => {
    const clock = new FakeClock();
    let trickle = () => {};
    let received = 0;
    const entry = cdn.pick(JPEG, () => (response) => {
      response.writeHead(200);
      trickle = () => {
        response.write('x');
        received += 1;
      };
      trickle();
    });
    const ended = failure(entry, { media: create({}, { clock }) });
    await eventually(() => expect(received).toBe(1));
    for (let atMs = 0; atMs < 54_000; atMs += 9_000) {
      await eventually(() => expect(clock.nextInMs).toBe(10_000)); // armed anew by the last byte
      clock.advance(9_000);
      trickle();
    }
    expect(await expectEndAfter(6_000, ended, clock)).toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      isTransient: true,
      message: 'the download of the file took too long',
    });
  });

  test('by options, each of them', async () => {
    const clock = new FakeClock();
    const media = create({ connectTimeout: '1s', idleTimeout: '2s', timeout: '4s' }, { clock });
    const first = failure(cdn.pick(JPEG, silent), { media });
    await expectEndAfter(2_000, first, clock);
    expect(() => create({ timeout: '0s' })).toThrow(TypeError);
    expect(() => create({ idleTimeout: '6m' })).toThrow(TypeError);
  });

  test('when the handler is out of time: with its reason, and nothing left behind', async () => {
    for (const behave of [silent, (file: Buffer) => stalled(file, 100_000)]) {
      const clock = new FakeClock();
      const controller = new AbortController();
      const before = cdn.requests.length;
      const entry = cdn.pick(JPEG, behave);
      const ended = download(entry, { media: create({}, { clock }), signal: controller.signal });
      await eventually(() => expect(cdn.requests).toHaveLength(before + 1));
      const reason = new DOMException('the deadline passed', 'TimeoutError');
      controller.abort(reason);
      await expect(ended).rejects.toBe(reason);
      await eventually(() => expect(clock.pending).toBe(0));
    }
  });

  test('a handler that is out of time already makes no request', async () => {
    const reason = new Error('late');
    await expect(download(cdn.pick(JPEG), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(cdn.connections).toBe(0);
  });
});

test('8 files are downloaded at a time; all come in the end', async () => {
  const waiting: (() => void)[] = [];
  const entries = Array.from({ length: 20 }, (_, i) =>
    cdn.pick(`file ${i}`, (file) => (response) => waiting.push(() => response.end(file))),
  );
  await using scope = create().scope();
  const files = Promise.all(scope.picked(entries).map(async (file) => (await file.download()).bytes()));
  let most = 0;
  for (let answered = 0; answered < 20; ) {
    await eventually(() => expect(waiting.length).toBe(Math.min(8, 20 - answered)));
    most = Math.max(most, waiting.length);
    waiting.shift()?.();
    answered += 1;
  }
  expect(most).toBe(8);
  expect((await files).map(String)).toEqual(entries.map((_, i) => `file ${i}`));
});

test('a file that waits for its turn is given up in time, like any other', async () => {
  const clock = new FakeClock();
  const media = create({ idleTimeout: '2m', timeout: '1m' }, { clock });
  await using scope = media.scope();
  const endings = scope
    .picked(Array.from({ length: 9 }, () => cdn.pick(JPEG, silent)))
    .map((file) =>
      expect(file.download()).rejects.toMatchObject({ message: 'the download of the file took too long' }),
    );
  await eventually(() => expect(cdn.requests).toHaveLength(8));
  clock.advance(60_000);
  await Promise.all(endings);
  expect(cdn.requests).toHaveLength(8);
  expectSame(await download(cdn.pick(JPEG), { media }), JPEG); // and no slot is lost
});

test('each download is told of once, by its outcome and time', async () => {
  const clock = new FakeClock();
  const told: [string, number][] = [];
  const media = create({}, { clock, onDownload: (...outcome) => told.push(outcome) });
  await download(cdn.pick(JPEG), { media });
  await failure(cdn.pick(JPEG, webPage), { media });
  await failure(
    cdn.pick(JPEG, () => status(404)),
    { media },
  );
  await download(cdn.pick(JPEG), { media, signal: AbortSignal.abort() }).catch(() => {});
  const late = failure(cdn.pick(JPEG, silent), { media });
  await eventually(() => expect(clock.nextInMs).toBe(10_000));
  clock.advance(10_000);
  await late;
  expect(told).toEqual([
    ['ok', 0],
    ['media_invalid', 0],
    ['media_unavailable', 0],
    ['aborted', 0],
    ['media_unavailable', 10_000],
  ]);
});
