import { expect, test } from 'vitest';
import { KeyWatcher, RETRY_MS } from '../../src/crypto/key-watcher.ts';
import type { KeyRing } from '../../src/crypto/keyring.ts';
import { FlowgateError } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';

const other = makeKeyPair();
const before = toKeyRing(keyPair);
const after = toKeyRing(other, keyPair);
const names = (keys: KeyRing) => keys.map(({ fingerprint }) => fingerprint);
const DAMAGED = new FlowgateError('SETTINGS_INVALID', 'new.pem is cut short');

/** A watcher of files that the test makes up, over a pool that takes what it is given. */
async function watching({ paths = ['keys'], found = before as KeyRing | Error } = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const { log, lines } = recordingLog();
  const pool = { keys: before, failure: undefined as Error | undefined, gate: Promise.resolve() };
  const files = { found, loads: 0, change: () => {}, isWatched: false };
  const keySource = {
    paths,
    load() {
      files.loads += 1;
      if (files.found instanceof Error) throw files.found;
      return files.found;
    },
  };
  const replaceKeys = async (keys: KeyRing) => {
    await pool.gate;
    if (pool.failure) throw pool.failure;
    pool.keys = keys;
  };
  const watch = (_: readonly string[], onChange: () => void) => {
    Object.assign(files, { change: onChange, isWatched: true });
    return { close: () => Object.assign(files, { isWatched: false }) };
  };
  const watcher = new KeyWatcher({ keys: before, keySource, replaceKeys, watch, clock, log, metrics });
  await settled();
  return { watcher, files, pool, clock, metrics, lines };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('swaps the keys when their files change, and says so once', async () => {
  const { watcher, files, pool, lines } = await watching();
  expect({ lines, fingerprints: watcher.fingerprints }).toEqual({ lines: [], fingerprints: names(before) });
  files.found = after;
  files.change();
  await settled();
  expect(pool.keys).toBe(after);
  expect(watcher).toMatchObject({ fingerprints: names(after), problem: undefined });
  expect(lines).toMatchObject([{ level: 30, keys: names(after), msg: 'other private keys serve now' }]);
});

test('loads what changed while the service started', async () => {
  const { pool } = await watching({ found: after });
  expect(pool.keys).toBe(after);
});

test('keeps the keys when the new ones are of no use: one log line with the reason, until it is another', async () => {
  const { watcher, files, pool, lines } = await watching({ found: DAMAGED });
  files.change();
  await settled();
  expect(pool.keys).toBe(before);
  expect(watcher).toMatchObject({ fingerprints: names(before), problem: 'new.pem is cut short' });
  const line = { level: 50, code: 'SETTINGS_INVALID', msg: 'the private keys stay as they are: new.pem is cut short' };
  expect(lines).toMatchObject([line]);
  files.found = new FlowgateError('SETTINGS_INVALID', 'keys holds no private key');
  files.change();
  await settled();
  expect(lines).toHaveLength(2);
  files.found = before;
  files.change();
  await settled();
  expect(watcher.problem).toBeUndefined();
  expect(lines.at(-1)).toMatchObject({ level: 30, msg: 'the private keys are in order again' });
});

test('keeps the keys when the new threads do not start, and tries again', async () => {
  const { watcher, files, pool, clock, lines } = await watching();
  pool.failure = new FlowgateError('POOL_START_FAILED', 'the decrypt workers did not start');
  files.found = after;
  await watcher.reload();
  expect(watcher).toMatchObject({ fingerprints: names(before), problem: 'the decrypt workers did not start' });
  pool.failure = undefined;
  clock.advance(RETRY_MS);
  await settled();
  expect(watcher).toMatchObject({ fingerprints: names(after), problem: undefined });
  expect(lines.map(({ level }) => level)).toEqual([50, 30]);
});

test('a defect is told as one, without what it says', async () => {
  const { watcher, lines } = await watching({ found: new Error('secret') });
  expect(watcher.problem).toContain('by a defect');
  expect(lines).toMatchObject([{ code: 'INTERNAL', stack: expect.stringContaining('key-watcher.test') }]);
  expect(JSON.stringify([lines, watcher.problem])).not.toContain('secret');
});

test('reloads one at a time: whatever changes meanwhile is loaded once, afterwards', async () => {
  const { watcher, files, pool } = await watching();
  let open = () => {};
  pool.gate = new Promise((resolve) => {
    open = resolve;
  });
  files.found = after;
  const reloads = [watcher.reload()];
  await settled();
  const loads = files.loads;
  files.found = before;
  reloads.push(watcher.reload(), watcher.reload());
  await settled();
  expect(files.loads).toBe(loads);
  open();
  await Promise.all(reloads);
  expect(files.loads).toBe(loads + 1);
  expect(names(pool.keys)).toEqual(names(before));
});

test('close waits for the reload that runs, begins no other, and leaves no timer and no watch', async () => {
  const { watcher, files, clock, pool } = await watching({ found: DAMAGED });
  expect(clock.pending).toBe(1);
  files.found = after;
  const reloading = watcher.reload();
  await Promise.resolve();
  await watcher.close();
  await reloading;
  const loads = files.loads;
  await watcher.reload();
  expect({ loads, isWatched: files.isWatched, pending: clock.pending }).toEqual({
    loads: files.loads,
    isWatched: false,
    pending: 0,
  });
  expect(names(pool.keys)).toEqual(names(after));
});

test('watches nothing when the key is given as text', async () => {
  const { files } = await watching({ paths: [] });
  expect(files).toMatchObject({ isWatched: false, loads: 0 });
});

test('metrics tell the keys, their order and age, and whether there is a problem', async () => {
  const { watcher, files, metrics, clock } = await watching();
  const [first, second] = after as unknown as [KeyRing[0], KeyRing[0]];
  files.found = [{ ...first, modifiedAtMs: clock.epochMs() - 90_000 }, second];
  await watcher.reload();
  const text = await metrics.render();
  const [one, two] = names(after);
  expect(text).toContain(`flowgate_key_info{fingerprint="${one}",position="1"} 1`);
  expect(text).toContain(`flowgate_key_info{fingerprint="${two}",position="2"} 1`);
  expect(text).toContain(`flowgate_key_age_seconds{fingerprint="${one}"} 90`);
  expect(text).not.toContain(`flowgate_key_age_seconds{fingerprint="${two}"}`);
  expect(text).toContain(`flowgate_key_hits_total{fingerprint="${one}"} 0`);
  expect(text).toContain('flowgate_key_problem 0');
  files.found = DAMAGED;
  await watcher.reload();
  expect(await metrics.render()).toContain('flowgate_key_problem 1');
});

test('a key that is gone is gone from the metrics', async () => {
  const { watcher, files, metrics } = await watching({ found: after });
  metrics.keyHits(watcher.fingerprints, [3, 4]);
  expect(await metrics.render()).toContain(`flowgate_key_hits_total{fingerprint="${names(after)[0]}"} 3`);
  files.found = before;
  await watcher.reload();
  const text = await metrics.render();
  expect(text).not.toContain(names(after)[0]);
  expect(text).toContain(`flowgate_key_hits_total{fingerprint="${names(before)[0]}"} 4`);
});
