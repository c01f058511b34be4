/** Files that a webhook names by id: found through the Graph API, fetched with its token. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GraphError } from '../../src/graph/graph-error.ts';
import { graphMedia, type MediaInfoSource, type MediaLookup } from '../../src/media/graph-media.ts';
import { Media } from '../../src/media/media.ts';
import type { MediaScope } from '../../src/media/scope.ts';
import { temporaryDirectory } from '../support/command.ts';
import { cutOff, FakeCdn, redirect, sent, status, webPage } from '../support/fake-cdn.ts';

const TOKEN = 'EAAfakeGraphToken';
const PDF = Buffer.from('%PDF-1.7\n an invoice');
const sha256 = createHash('sha256').update(PDF).digest();
const completed = { file_name: 'a.pdf', mime_type: 'image/png', sha256: sha256.toString('base64'), id: '1034567' };
const directory = temporaryDirectory();
let cdn: FakeCdn;
let scope: MediaScope;
/** URLs that the Graph API was asked for. */
let asked: string[];

beforeEach(async () => {
  cdn = await FakeCdn.start();
  scope = new Media({ hosts: [cdn.origin], directory, maxBytes: 1_000 }).scope();
  asked = [];
});

afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  await cdn[Symbol.asyncDispose]();
});

/** @param replies of the Graph API, the last one stays. */
function lookupIn(...replies: Found[]): MediaLookup {
  return graphMedia({
    async mediaInfo(mediaId) {
      asked.push(mediaId);
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      if (!reply) throw new Error('there is no reply');
      return reply;
    },
  });
}

type Found = Awaited<ReturnType<MediaInfoSource['mediaInfo']>>;

const found = (url: string, more: Partial<Found> = {}): Found => ({
  url,
  authorization: `Bearer ${TOKEN}`,
  mimeType: 'image/png',
  sha256: sha256.toString('hex'),
  sizeBytes: PDF.length,
  ...more,
});

const download = (lookup: MediaLookup, entry: object = completed) => {
  const [file] = scope.received([{ ...entry }], lookup);
  if (!file) throw new Error('no file');
  return file.download();
};

test('a file of a completed Flow is found by its id and fetched with the token', async () => {
  const file = await download(lookupIn(found(cdn.serve(sent(PDF)))));
  expect(await file.bytes()).toEqual(PDF);
  expect(file).toMatchObject({ mimeType: 'application/pdf', extension: 'pdf', sha256: sha256.toString('hex') });
  expect(asked).toEqual(['1034567']);
  expect(cdn.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, 'user-agent': 'flowgate' });
});

test('so is the file of a message', async () => {
  const media = { id: '77', mimeType: undefined, sha256: undefined, caption: undefined, filename: 'invoice.pdf' };
  const file = scope.message(media, lookupIn(found(cdn.serve(sent(PDF)))));
  expect(file).toMatchObject({ mediaId: '77', name: 'invoice.pdf' });
  expect(await (await file.download()).bytes()).toEqual(PDF);
  expect(asked).toEqual(['77']);
});

test('the token goes to the origin of the link, and to no other that it redirects to', async () => {
  await using elsewhere = await FakeCdn.start();
  await using both = new Media({ hosts: [cdn.origin, elsewhere.origin], directory }).scope();
  const url = cdn.serve(redirect(elsewhere.serve(sent(PDF))));
  const [file] = both.received([completed], lookupIn(found(url)));
  expect(await (await file?.download())?.bytes()).toEqual(PDF);
  expect(cdn.requests[0]?.headers).toHaveProperty('authorization');
  expect(elsewhere.requests[0]?.headers).not.toHaveProperty('authorization');
  const again = await download(lookupIn(found(cdn.serve(redirect(cdn.serve(sent(PDF)))))));
  expect(await again.bytes()).toEqual(PDF);
  expect(cdn.requests.at(-1)?.headers).toHaveProperty('authorization');
});

test('a link outside the allowed hosts gets no request and no token', async () => {
  await using elsewhere = await FakeCdn.start();
  const lookup = lookupIn(found(elsewhere.serve(sent(PDF))));
  await expect(download(lookup)).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE', isTransient: false });
  expect(elsewhere.connections).toBe(0);
});

test('a link that has died is asked for anew, once', async () => {
  const dead = found(cdn.serve(status(404)));
  const file = await download(lookupIn(dead, found(cdn.serve(sent(PDF)))));
  expect(await file.bytes()).toEqual(PDF);
  expect(asked).toHaveLength(2);
  await expect(download(lookupIn(dead))).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE', status: 404 });
  expect(asked).toHaveLength(4);
});

test('any other failure of the link is not asked about again', async () => {
  await expect(download(lookupIn(found(cdn.serve(status(401)))))).rejects.toMatchObject({ status: 401 });
  await expect(download(lookupIn(found(cdn.serve(cutOff(PDF, 5)))))).rejects.toMatchObject({ isTransient: true });
  expect(asked).toHaveLength(2);
});

test.each([
  ['a web page in its place', () => cdn.serve(webPage()), {}, completed],
  ['another file', () => cdn.serve(sent(Buffer.from('other'))), {}, completed],
  [
    'another hash from the phone',
    () => cdn.serve(sent(PDF)),
    {},
    { ...completed, sha256: Buffer.alloc(32).toString('base64') },
  ],
  ['another hash from the Graph API', () => cdn.serve(sent(PDF)), { sha256: 'a'.repeat(64) }, completed],
  ['no hash from either', () => cdn.serve(sent(PDF)), { sha256: 'of no known form' }, { id: '1' }],
  ['an announced size over the limit', () => cdn.serve(sent(PDF)), { sizeBytes: 1_001 }, completed],
  ['a size over the limit', () => cdn.serve(sent(Buffer.alloc(1_001))), {}, completed],
] as const)('a file with %s is MEDIA_INVALID', async (_, url, more, entry) => {
  await expect(download(lookupIn(found(url(), more)), entry)).rejects.toMatchObject({ code: 'MEDIA_INVALID' });
});

test('one hash is enough, in either spelling', async () => {
  const lookup = lookupIn(found(cdn.serve(sent(PDF)), { sha256: sha256.toString('base64') }));
  expect(await (await download(lookup, { id: '1' })).bytes()).toEqual(PDF);
  const without = lookupIn(found(cdn.serve(sent(PDF)), { sha256: 'of no known form' }));
  expect(await (await download(without)).bytes()).toEqual(PDF);
});

test('what the Graph API fails with is what the download fails with', async () => {
  const error = new GraphError('the Graph API refused', { status: 400, isTransient: false, isUncertain: false });
  await expect(download(graphMedia({ mediaInfo: () => Promise.reject(error) }))).rejects.toBe(error);
});

test('a handler that is out of time gives up the question, too', async () => {
  const controller = new AbortController();
  await using own = new Media({ hosts: [cdn.origin], directory }).scope(controller.signal);
  const lookup = graphMedia({
    mediaInfo: (_, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  });
  const reason = new Error('the deadline passed');
  const [file] = own.received([completed], lookup);
  const given = expect(file?.download()).rejects.toBe(reason);
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(reason);
  await given;
});
