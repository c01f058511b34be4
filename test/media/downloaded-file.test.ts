/** What a handler does with a file that was downloaded and checked, and what is left when it ends. */
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { openChecked } from '../../src/media/downloaded-file.ts';
import { Media } from '../../src/media/media.ts';
import type { MediaScope } from '../../src/media/scope.ts';
import { TempFile } from '../../src/media/temp-file.ts';
import { temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { FakeCdn, silent, stalled, status } from '../support/fake-cdn.ts';
import { canSeeOpenFiles, openFilesIn } from '../support/open-files.ts';

const directory = temporaryDirectory();
const PLAINTEXT = Buffer.alloc(300_000, 'the whole of a document, ');
let cdn: FakeCdn;
let media: Media;
let scope: MediaScope;

beforeEach(async () => {
  cdn = await FakeCdn.start();
  media = new Media({ hosts: [cdn.origin], directory });
  scope = media.scope();
});

afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  await cdn[Symbol.asyncDispose]();
  if (canSeeOpenFiles) expect(openFilesIn(directory)).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
});

const expectSame = (bytes: Buffer, expected: Buffer) => expect(bytes.equals(expected)).toBe(true);

function picked(entry: JsonObject = cdn.pick(PLAINTEXT)) {
  const [file] = scope.picked([entry]);
  if (!file) throw new Error('no file was picked');
  return file;
}

describe('a file that was downloaded', () => {
  test('can be read as often as wanted, at the same time and in part', async () => {
    const file = await picked().download();
    const [whole, again, bytes] = await Promise.all([buffer(file.stream()), buffer(file.stream()), file.bytes()]);
    for (const copy of [whole, again, bytes]) expectSame(copy, PLAINTEXT);
    for await (const chunk of file.stream()) {
      expectSame(chunk, PLAINTEXT.subarray(0, chunk.length));
      break;
    }
    expectSame(await file.bytes(), PLAINTEXT);
    expect(cdn.requests).toHaveLength(1);
  });

  test('flows no faster than it is read', async () => {
    const file = await picked(cdn.pick(Buffer.alloc(2_000_000))).download();
    const stream = file.stream();
    await once(stream, 'readable');
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(stream.readableLength).toBeLessThanOrEqual(2 * 64 * 1024);
    stream.destroy();
  });

  test('can be saved where nothing is, for its owner alone', async () => {
    const target = join(temporaryDirectory(), 'document');
    const file = await picked().download();
    await file.saveTo(target);
    expectSame(readFileSync(target), PLAINTEXT);
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });

  test('never overwrites what is there', async () => {
    const target = join(temporaryDirectory(), 'document');
    writeFileSync(target, 'of somebody else');
    const file = await picked().download();
    await expect(file.saveTo(target)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(target, 'utf8')).toBe('of somebody else');
  });

  test('leaves nothing where it could not be saved', async () => {
    const file = await picked().download();
    const parent = temporaryDirectory();
    await expect(file.saveTo(join(parent, 'missing', 'document'))).rejects.toMatchObject({ code: 'ENOENT' });
    const saving = file.saveTo(join(parent, 'document'));
    await file[Symbol.asyncDispose]();
    await expect(saving).rejects.toThrow();
    expect(readdirSync(parent)).toEqual([]);
  });

  test('is gone once it is disposed of, which can be done twice', async () => {
    const file = await picked().download();
    await Promise.all([file[Symbol.asyncDispose](), file[Symbol.asyncDispose]()]);
    await file[Symbol.asyncDispose]();
    const target = join(temporaryDirectory(), 'document');
    expect(() => file.stream()).toThrow(TypeError);
    await expect(file.bytes()).rejects.toThrow(TypeError);
    await expect(file.saveTo(target)).rejects.toThrow(TypeError);
    expect(existsSync(target)).toBe(false);
    if (canSeeOpenFiles) expect(openFilesIn(directory)).toEqual([]);
  });

  test('ends its streams when it is disposed of, without an error that nobody may hear', async () => {
    const file = await picked().download();
    const piped = file.stream().pipe(new PassThrough({ highWaterMark: 1 }));
    const unread = file.stream();
    const read = expect(buffer(file.stream())).rejects.toThrow();
    await once(piped, 'readable');
    await file[Symbol.asyncDispose]();
    await read;
    expect(unread.destroyed).toBe(true);
  });

  test.runIf(canSeeOpenFiles)('is encrypted on the disk, and nobody else could open it', async () => {
    const file = await picked().download();
    const [kept = ''] = openFilesIn(directory);
    const onDisk = readFileSync(kept);
    expect(onDisk.length).toBeGreaterThan(PLAINTEXT.length);
    expect(onDisk.includes('document')).toBe(false);
    expect(statSync(kept)).toMatchObject({ nlink: 0, mode: expect.toSatisfy((mode) => (mode & 0o777) === 0o600) });
    expect(file.sizeBytes).toBe(PLAINTEXT.length);
  });

  test('shows no key when it or what it came from is printed', async () => {
    const entry = cdn.pick(PLAINTEXT);
    const before = picked(entry);
    const file = await before.download();
    const { inspect } = await import('node:util');
    const shown = [before, file, scope, media]
      .map((value) => inspect(value, { depth: 9 }) + JSON.stringify(value))
      .join();
    for (const secret of Object.values(entry['encryption_metadata'] ?? {})) expect(shown).not.toContain(secret);
    expect(shown).not.toContain(String(entry['cdn_url']));
  });
});

describe('when a handler ends', () => {
  test('every file that it did not dispose of is gone', async () => {
    const files = await Promise.all(scope.picked([cdn.pick('a'), cdn.pick('b')]).map((file) => file.download()));
    if (canSeeOpenFiles) expect(openFilesIn(directory)).toHaveLength(2);
    await scope[Symbol.asyncDispose]();
    if (canSeeOpenFiles) expect(openFilesIn(directory)).toEqual([]);
    for (const file of files) expect(() => file.stream()).toThrow(TypeError);
  });

  test('downloads under way are given up', async () => {
    const [first, second] = scope.picked([cdn.pick('a', silent), cdn.pick(PLAINTEXT, (file) => stalled(file, 9_000))]);
    const downloads = [first?.download(), second?.download()];
    await eventually(() => expect(cdn.requests).toHaveLength(2));
    await scope[Symbol.asyncDispose]();
    for (const download of downloads) {
      await expect(download).rejects.toMatchObject({
        code: 'MEDIA_UNAVAILABLE',
        message: 'the handler of the file has ended',
      });
    }
  });

  test('downloads that failed before, and that nobody waited for, are no unhandled rejection', async () => {
    const outcomes: string[] = [];
    const options = { hosts: [cdn.origin], directory };
    await using own = new Media(options, { onDownload: (outcome) => outcomes.push(outcome) }).scope();
    void own.picked([cdn.pick('a', () => status(404))])[0]?.download();
    await eventually(() => expect(outcomes).toEqual(['media_unavailable']));
  });

  test('downloads that nobody waits for fail in silence', async () => {
    const [file] = scope.picked([cdn.pick('a', silent)]);
    void file?.download();
    await eventually(() => expect(cdn.requests).toHaveLength(1));
    await scope[Symbol.asyncDispose](); // an unhandled rejection would fail the run
  });

  test('no download can begin', async () => {
    const file = picked();
    await scope[Symbol.asyncDispose]();
    await expect(file.download()).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    expect(cdn.requests).toHaveLength(0);
  });
});

test('one download can be given up by a signal of its own, and the others go on', async () => {
  const controller = new AbortController();
  const given = picked(cdn.pick('a', silent)).download(controller.signal);
  await eventually(() => expect(cdn.requests).toHaveLength(1));
  const reason = new Error('not wanted any more');
  controller.abort(reason);
  await expect(given).rejects.toBe(reason);
  expectSame(await (await picked().download()).bytes(), PLAINTEXT);
});

test('a file is given up while it is checked, too, and is gone', async () => {
  const kept = await TempFile.create(directory);
  await kept.append(PLAINTEXT);
  const reason = new Error('the deadline passed');
  const checks = { encryption: undefined, hashes: [], maxBytes: 1_000_000, signal: AbortSignal.abort(reason) };
  await expect(openChecked(kept, checks)).rejects.toBe(reason);
  if (canSeeOpenFiles) expect(openFilesIn(directory)).toEqual([]);
});

test('a value that no picker sends is MEDIA_INVALID at once; a picker left alone has no files', () => {
  expect(() => scope.picked('photos')).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
  expect(scope.picked(undefined)).toEqual([]);
});

test('a file has the name and the id that the picker gives, for the user to know it by', () => {
  expect(picked(cdn.pick('a', undefined, { fileName: '../IMG_1.jpg', mediaId: 'f00' }))).toMatchObject({
    name: 'IMG_1.jpg',
    mediaId: 'f00',
  });
});

test('a temporary directory that is missing or closed is MEDIA_UNAVAILABLE, and names no path', async () => {
  const closed = join(temporaryDirectory(), 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  const isRoot = process.getuid?.() === 0;
  for (const bad of [join(closed, 'missing'), ...(isRoot ? [] : [closed])]) {
    await using own = new Media({ hosts: [cdn.origin], directory: bad }).scope();
    const [file] = own.picked([cdn.pick('a')]);
    await expect(file?.download()).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      isTransient: true,
      message: expect.stringMatching(/^the file could not be kept in the temporary directory \((ENOENT|EACCES)\)$/),
    });
  }
});
