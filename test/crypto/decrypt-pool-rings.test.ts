/** One pool for many businesses: whoever mixes, crowds or dies, a request is opened by its own keys or not at all. */
import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { DecryptPool, type DecryptPoolOptions } from '../../src/crypto/decrypt-pool.ts';
import { MAX_RINGS_PER_THREAD } from '../../src/crypto/decrypt-rings.ts';
import type { HeldKey, KeyRing } from '../../src/crypto/keyring.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { keyPair, makeKeyPair, type TestKeyPair, toKeyRing } from '../support/keys.ts';
import { silentLog } from '../support/log.ts';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const wrap = (aesKey: Buffer, { publicKey }: TestKeyPair) => publicEncrypt({ key: publicKey, ...OAEP }, aesKey);
const pairs = Array.from({ length: 4 }, () => makeKeyPair());
const [acme, globex, initech] = pairs as [TestKeyPair, TestKeyPair, TestKeyPair];

const pools: DecryptPool[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function start(options: Partial<DecryptPoolOptions> = {}): Promise<DecryptPool> {
  const defaults = { workers: 2, maxWaitMs: 30_000, clock: systemClock, log: silentLog, metrics: createMetrics() };
  const pool = await DecryptPool.start({ keys: toKeyRing(keyPair), ...defaults, ...options });
  pools.push(pool);
  return pool;
}

function unwrap(pool: DecryptPool, wrappedKey: Buffer, keys?: KeyRing): Promise<Buffer | undefined> {
  const deadlineMs = systemClock.nowMs() + 20_000;
  return pool.unwrap({ wrappedKey, keys, deadlineMs, bytes: 1_000, isCancelled: () => false });
}

test('a request is opened by its own ring, never by another business, nor by the keys of the settings', async () => {
  const pool = await start();
  const [acmeRing, globexRing] = [toKeyRing(acme), toKeyRing(globex)];
  const aesKey = randomBytes(16);
  expect(await unwrap(pool, wrap(aesKey, acme), acmeRing)).toEqual(aesKey);
  expect(await unwrap(pool, wrap(aesKey, globex), globexRing)).toEqual(aesKey);
  expect(await unwrap(pool, wrap(aesKey, acme), globexRing)).toBeUndefined();
  expect(await unwrap(pool, wrap(aesKey, keyPair), acmeRing)).toBeUndefined();
  expect(await unwrap(pool, wrap(aesKey, acme))).toBeUndefined();
  expect(await unwrap(pool, wrap(aesKey, keyPair))).toEqual(aesKey);
});

test('whatever shares a batch, each request is answered by its own ring', async () => {
  const pool = await start({ workers: 1 });
  const rings: (KeyRing | undefined)[] = [undefined, toKeyRing(acme, globex), toKeyRing(globex), toKeyRing(initech)];
  const opens = [[keyPair], [acme, globex], [globex], [initech]];
  const sealers = [keyPair, acme, globex, initech];
  const requests = fc.array(fc.record({ ring: fc.nat({ max: 3 }), sealer: fc.nat({ max: 3 }) }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(requests, async (crowd) => {
      const aesKeys = crowd.map(() => randomBytes(16));
      const answers = crowd.map(({ ring, sealer }, i) =>
        unwrap(pool, wrap(aesKeys[i] as Buffer, sealers[sealer] as TestKeyPair), rings[ring]),
      );
      const expected = crowd.map(({ ring, sealer }, i) =>
        opens[ring]?.includes(sealers[sealer] as TestKeyPair) ? aesKeys[i] : undefined,
      );
      expect(await Promise.all(answers)).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test('serves more rings than a thread remembers, and the first of them again', async () => {
  const pool = await start({ workers: 1 });
  const held = pairs.map((pair) => toKeyRing(pair)[0]);
  const keyOf = (i: number) => held[i % held.length] as HeldKey;
  const rings = Array.from({ length: MAX_RINGS_PER_THREAD + 100 }, (_, i): KeyRing => [keyOf(i), keyOf(i + 1)]);
  const aesKey = randomBytes(16);
  const wrapped = pairs.map((pair) => wrap(aesKey, pair));
  const ask = (i: number, by = 0) => unwrap(pool, wrapped[(i + by) % pairs.length] as Buffer, rings[i]);
  expect(await Promise.all(rings.map((_, i) => ask(i)))).toEqual(rings.map(() => aesKey));
  expect(await Promise.all([ask(0), ask(0, 1), ask(0, 2), ask(1_000, 1)])).toEqual([aesKey, aesKey, undefined, aesKey]);
});

test('a ring that replaces another is the only one tried from then on', async () => {
  const pool = await start({ workers: 1 });
  const aesKey = randomBytes(16);
  const before = toKeyRing(acme);
  expect(await unwrap(pool, wrap(aesKey, acme), before)).toEqual(aesKey);
  const after = toKeyRing(globex);
  const [old, next] = await Promise.all([wrap(aesKey, acme), wrap(aesKey, globex)].map((w) => unwrap(pool, w, after)));
  expect([old, next]).toEqual([undefined, aesKey]);
});

test('a worker that dies costs no business an answer', async () => {
  const metrics = createMetrics();
  vi.stubEnv('DIES_ONCE_MARKER', join(mkdtempSync(join(tmpdir(), 'flowgate-')), 'died'));
  const workerFile = fileURLToPath(new URL('../support/workers/dies-once.js', import.meta.url));
  const pool = await start({ workers: 1, workerFile, metrics });
  const owners: [TestKeyPair, KeyRing | undefined][] = [
    [acme, toKeyRing(acme)],
    [globex, toKeyRing(globex)],
    [keyPair, undefined],
  ];
  const aesKeys = Array.from({ length: 60 }, () => randomBytes(16));
  const answers = aesKeys.map((aesKey, i) => {
    const [pair, ring] = owners[i % 3] as [TestKeyPair, KeyRing | undefined];
    return unwrap(pool, wrap(aesKey, pair), ring);
  });
  expect(await Promise.all(answers)).toEqual(aesKeys);
  expect(await metrics.render()).toMatch(/^flowgate_decrypt_retried_total [1-9]/m);
});

test('swapping the keys of the settings loses no request of a business, and none of its keys', async () => {
  const pool = await start();
  const ring = toKeyRing(acme);
  const aesKeys = Array.from({ length: 60 }, () => randomBytes(16));
  const before = aesKeys.map((aesKey, i) =>
    i % 2 ? unwrap(pool, wrap(aesKey, acme), ring) : unwrap(pool, wrap(aesKey, keyPair)),
  );
  await pool.replaceKeys(toKeyRing(globex));
  expect(await Promise.all(before)).toEqual(aesKeys);
  const [aesKey] = aesKeys as [Buffer];
  expect(await unwrap(pool, wrap(aesKey, acme), ring)).toEqual(aesKey);
  expect(await unwrap(pool, wrap(aesKey, globex), ring)).toBeUndefined();
  expect(await unwrap(pool, wrap(aesKey, globex))).toEqual(aesKey);
});

test('the hits that are counted are those of the settings: a business does not pass for them', async () => {
  const metrics = createMetrics();
  const own = toKeyRing(keyPair);
  metrics.keysFrom(() => ({ keys: own.map(({ fingerprint }) => ({ fingerprint, ageMs: 0 })), hasProblem: false }));
  const pool = await start({ keys: own, metrics });
  const ring = toKeyRing(acme);
  await Promise.all(Array.from({ length: 20 }, () => unwrap(pool, wrap(randomBytes(16), acme), ring)));
  await unwrap(pool, wrap(randomBytes(16), keyPair));
  const hits = (await metrics.render()).match(/^flowgate_key_hits_total.*$/gm);
  expect(hits).toEqual([`flowgate_key_hits_total{fingerprint="${own[0].fingerprint}"} 1`]);
});
