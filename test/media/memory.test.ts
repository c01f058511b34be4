/** How much of a file is in memory at any moment: what is still held after a garbage collection, not what was touched. */

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test, vi } from 'vitest';
import { Media } from '../../src/media/media.ts';
import { TempFile } from '../../src/media/temp-file.ts';
import { temporaryDirectory } from '../support/command.ts';
import { FakeCdn } from '../support/fake-cdn.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const MIB = 1024 * 1024;
const STEP_BYTES = 5 * MIB;
/** Chunks in sockets, pipes and hashes: the same for a file of any size. */
const ALLOWED_BYTES = 2 * MIB;

const cdn = await FakeCdn.start();
afterAll(() => cdn[Symbol.asyncDispose]());

function heldBytes(): number {
  collectGarbage();
  collectGarbage(); // waits until the buffers that the first one found are freed
  return process.memoryUsage().arrayBuffers;
}

test('a file of 25 MiB is downloaded, checked and read in constant memory', async () => {
  const plaintext = Buffer.alloc(25 * MIB, 'a picked document, ');
  let mostBytes = 0;
  let before = 0;
  const measure = () => {
    mostBytes = Math.max(mostBytes, heldBytes() - before);
  };
  const entry = cdn.pick(plaintext, (file) => async (response) => {
    response.writeHead(200, { 'Content-Length': file.length });
    for (let at = 0; at < file.length; at += STEP_BYTES) {
      await new Promise((written) => response.write(file.subarray(at, at + STEP_BYTES), written)); // not copied
      measure();
    }
    response.end();
  });
  const read = TempFile.prototype.read;
  vi.spyOn(TempFile.prototype, 'read').mockImplementation(async function* (this: TempFile, endBytes) {
    let readBytes = 0;
    for await (const chunk of read.call(this, endBytes)) {
      if (readBytes % STEP_BYTES < chunk.length) measure();
      readBytes += chunk.length;
      yield chunk;
    }
  });
  await using scope = new Media({ hosts: [cdn.origin], directory: temporaryDirectory() }).scope();
  const [picked] = scope.picked([entry]);
  before = heldBytes();
  const file = await picked?.download();
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of file?.stream() ?? []) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  expect(sizeBytes).toBe(25 * MIB);
  expect(hash.digest('hex')).toBe(file?.sha256);
  expect(mostBytes).toBeLessThan(ALLOWED_BYTES);
});
