import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { DecryptPool, type DecryptPoolOptions } from '../../src/crypto/decrypt-pool.ts';
import { DecryptWorkers } from '../../src/crypto/decrypt-workers.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';
import { recordingLog, silentLog } from '../support/log.ts';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const wrap = (aesKey: Buffer, publicKey = keyPair.publicKey) => publicEncrypt({ key: publicKey, ...OAEP }, aesKey);
const faultyWorker = (name: string) => fileURLToPath(new URL(`../support/workers/${name}.js`, import.meta.url));

const pools: DecryptPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function start(options: Partial<DecryptPoolOptions> = {}): Promise<DecryptPool> {
  const defaults = {
    keys: toKeyRing(keyPair),
    workers: 2,
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  };
  const pool = await DecryptPool.start({ ...defaults, ...options });
  pools.push(pool);
  return pool;
}

const soon = () => systemClock.nowMs() + 20_000;
const unwrap = (
  pool: DecryptPool,
  wrappedKey: Buffer,
  { deadlineMs = soon(), isCancelled = (): boolean => false } = {},
) => pool.unwrap({ wrappedKey, deadlineMs, bytes: 1_000, isCancelled });

test('gives each of 200 requests its own AES key', async () => {
  const pool = await start();
  const aesKeys = Array.from({ length: 200 }, () => randomBytes(16));
  expect(await Promise.all(aesKeys.map((key) => unwrap(pool, wrap(key))))).toEqual(aesKeys);
});

test('opens with an older key, and answers undefined for a key it does not hold', async () => {
  const older = makeKeyPair();
  const pool = await start({ keys: toKeyRing(keyPair, older) });
  const aesKey = randomBytes(16);
  expect(await unwrap(pool, wrap(aesKey, older.publicKey))).toEqual(aesKey);
  expect(await unwrap(pool, wrap(aesKey, makeKeyPair().publicKey))).toBeUndefined();
  expect(await unwrap(pool, randomBytes(100))).toBeUndefined();
});

test('a worker that dies costs nobody an answer: its jobs run once more', async () => {
  const { log, lines } = recordingLog();
  const metrics = createMetrics();
  vi.stubEnv('DIES_ONCE_MARKER', join(mkdtempSync(join(tmpdir(), 'flowgate-')), 'died'));
  const pool = await start({ workers: 1, workerFile: faultyWorker('dies-once'), log, metrics });
  const aesKeys = Array.from({ length: 40 }, () => randomBytes(16));
  expect(await Promise.all(aesKeys.map((key) => unwrap(pool, wrap(key))))).toEqual(aesKeys);
  expect(await metrics.render()).toMatch(/^flowgate_decrypt_retried_total [1-9]/m);
  expect(lines.filter(({ code }) => code === 'POOL_FAILED').length).toBeLessThanOrEqual(1);
});

test('rejects with POOL_FAILED when the retry dies too, and keeps serving', async () => {
  const pool = await start({ workers: 1, workerFile: faultyWorker('dies-on-poison') });
  await expect(unwrap(pool, Buffer.from('poison'))).rejects.toMatchObject({ code: 'POOL_FAILED' });
  const aesKey = randomBytes(16);
  expect(await unwrap(pool, wrap(aesKey))).toEqual(aesKey);
});

test('rejects with POOL_START_FAILED, and does not hang, when a worker cannot load', async () => {
  await expect(start({ workerFile: faultyWorker('cannot-load') })).rejects.toMatchObject({ code: 'POOL_START_FAILED' });
});

test('rejects with POOL_START_FAILED when a worker unwraps wrongly', async () => {
  await expect(start({ workerFile: faultyWorker('unwraps-wrongly') })).rejects.toMatchObject({
    code: 'POOL_START_FAILED',
  });
});

test('refuses with POOL_SATURATED what would wait longer than the limit, and counts it', async () => {
  const metrics = createMetrics();
  // One worker, 0.5 ms assumed for a request: of what waits, the fifth would wait for 2 ms.
  const pool = await start({ workers: 1, maxWaitMs: 2, metrics });
  // Two batches of one are in flight, four requests wait; the seventh is one too many.
  const requests = Array.from({ length: 7 }, () => unwrap(pool, wrap(randomBytes(16))));
  expect(pool.isSaturated).toBe(true);
  const outcomes = await Promise.allSettled(requests);
  expect(outcomes.map(({ status }) => status)).toEqual([...Array(6).fill('fulfilled'), 'rejected']);
  expect(outcomes[6]).toMatchObject({ reason: { code: 'POOL_SATURATED' } });
  expect(pool.isSaturated).toBe(false);
  expect(await metrics.render()).toContain('flowgate_shed_total{reason="queue_full"} 1');
});

test('never puts more into a batch than its limit', async () => {
  const metrics = createMetrics();
  const pool = await start({ workers: 1, maxBatch: 4, metrics });
  await Promise.all(Array.from({ length: 50 }, () => unwrap(pool, wrap(randomBytes(16)))));
  expect(await metrics.render()).toMatch(/^flowgate_decrypt_batch_size_bucket\{le="4"\} 14$/m);
  expect(await metrics.render()).toMatch(/^flowgate_decrypt_batch_size_count 14$/m); // 1 + 1 + 12 x 4
});

test('swaps the keys with no request lost, then no longer opens with the old key', async () => {
  const next = makeKeyPair();
  const pool = await start();
  const aesKeys = Array.from({ length: 60 }, () => randomBytes(16));
  const before = aesKeys.map((aesKey) => unwrap(pool, wrap(aesKey)));
  await pool.replaceKeys(toKeyRing(next));
  expect(await Promise.all(before)).toEqual(aesKeys);
  const [aesKey = randomBytes(16)] = aesKeys;
  expect(await unwrap(pool, wrap(aesKey, next.publicKey))).toEqual(aesKey);
  expect(await unwrap(pool, wrap(aesKey))).toBeUndefined();
});

test('counts the hits of each key, also of one that is no longer held when its batch ends', async () => {
  const [older, next] = [makeKeyPair(), makeKeyPair()];
  const metrics = createMetrics();
  const ring = toKeyRing(keyPair, older);
  const hits = (fingerprint: string | undefined) =>
    metrics
      .render()
      .then(
        (text) => new RegExp(`^flowgate_key_hits_total\\{fingerprint="${fingerprint}"\\} (\\d+)$`, 'm').exec(text)?.[1],
      );
  const pool = await start({ keys: ring, metrics });
  metrics.keysFrom(() => ({ keys: ring.map(({ fingerprint }) => ({ fingerprint, ageMs: 0 })), hasProblem: false }));
  await Promise.all(Array.from({ length: 30 }, () => unwrap(pool, wrap(randomBytes(16), older.publicKey))));
  await unwrap(pool, wrap(randomBytes(16)));
  await unwrap(pool, randomBytes(256));
  expect(await Promise.all(ring.map(({ fingerprint }) => hits(fingerprint)))).toEqual(['1', '30']);
  const inFlight = Array.from({ length: 4 }, () => unwrap(pool, wrap(randomBytes(16))));
  await pool.replaceKeys(toKeyRing(next));
  await Promise.all(inFlight);
  expect(await hits(ring[0].fingerprint)).toBe('5');
});

test('keys that come too late, when the pool is closed, start nothing that lasts', async () => {
  const pool = await start({ workers: 1 });
  const destroyed = vi.spyOn(DecryptWorkers.prototype, 'destroy');
  const replacing = pool.replaceKeys(toKeyRing(makeKeyPair()));
  await pool.close();
  await replacing;
  expect(new Set(destroyed.mock.contexts).size).toBe(2);
});

test('rejects what waited past its deadline, without decrypting it', async () => {
  const metrics = createMetrics();
  const pool = await start({ workers: 1, metrics });
  const busy = [1, 2].map(() => unwrap(pool, wrap(randomBytes(16))));
  await expect(unwrap(pool, wrap(randomBytes(16)), { deadlineMs: 0 })).rejects.toMatchObject({
    code: 'DEADLINE_EXPIRED',
  });
  await Promise.all(busy);
  expect(await metrics.render()).toContain('flowgate_shed_total{reason="expired"} 1');
  expect(await metrics.render()).toContain('flowgate_decrypt_batch_size_count 2');
});

test('rejects with CLIENT_GONE what nobody waits for any more', async () => {
  const pool = await start({ workers: 1 });
  const busy = [1, 2].map(() => unwrap(pool, wrap(randomBytes(16))));
  const abandoned = unwrap(pool, wrap(randomBytes(16)), { isCancelled: () => true });
  await expect(abandoned).rejects.toMatchObject({ code: 'CLIENT_GONE' });
  await Promise.all(busy);
});
