import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { KeyReport } from '../../src/crypto/key-report.ts';
import { RedisKeys } from '../../src/stores/redis-keys.ts';
import { eventually } from '../support/eventually.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';

/** Time that passes a hundred times as fast for what waits: reports are two seconds apart. */
const hurriedClock: Clock = { ...systemClock, after: (delayMs, task) => systemClock.after(delayMs / 100, task) };

const keysOn = (redis: TestRedis, clock = systemClock): RedisKeys & AsyncDisposable => {
  const keys = new RedisKeys({ url: redis.url, clock });
  return Object.assign(keys, { [Symbol.asyncDispose]: () => keys.close() });
};

describe.runIf(hasRedisServer)('the keys of all servers, in Redis', () => {
  test('are told by each, with its problem, and told anew when they change', async () => {
    await using redis = await TestRedis.start();
    await using one = keysOn(redis, hurriedClock);
    await using two = keysOn(redis);
    await using reader = keysOn(redis);
    expect(await reader.servers()).toEqual([]);
    let report: KeyReport = { fingerprints: ['aa'], problem: undefined };
    one.report(() => report, 'one');
    two.report(() => ({ fingerprints: ['aa', 'bb'], problem: 'new.pem is cut short' }), 'two');
    await eventually(async () =>
      expect(await reader.servers()).toEqual([
        { name: 'one', fingerprints: ['aa'], problem: undefined },
        { name: 'two', fingerprints: ['aa', 'bb'], problem: 'new.pem is cut short' },
      ]),
    );
    report = { fingerprints: ['cc', 'aa'], problem: undefined };
    await eventually(async () => expect((await reader.servers())[0]?.fingerprints).toEqual(['cc', 'aa']));
  });

  test('of a server that closes are gone at once; of one that dies they expire, under a key of ten seconds', async () => {
    await using redis = await TestRedis.start();
    const closing = keysOn(redis);
    await using dying = keysOn(redis);
    await using reader = keysOn(redis);
    closing.report(() => ({ fingerprints: ['aa'], problem: undefined }), 'closing');
    dying.report(() => ({ fingerprints: ['aa'], problem: undefined }), 'dying');
    await eventually(async () => expect(await reader.servers()).toHaveLength(2));
    await closing.close();
    expect(await reader.servers()).toMatchObject([{ name: 'dying' }]);
    const client = new Redis(redis.url);
    expect(await client.pttl('{flowgate}:keys:dying')).toBeGreaterThan(5_000);
    expect(await client.pttl('{flowgate}:keys:dying')).toBeLessThanOrEqual(10_000);
    await client.del('{flowgate}:keys:dying');
    client.disconnect();
    expect(await reader.servers()).toEqual([]);
  });

  test('have a name of their own for each server, by which a person knows it', async () => {
    await using redis = await TestRedis.start();
    await using one = keysOn(redis);
    await using two = keysOn(redis);
    await using reader = keysOn(redis);
    for (const keys of [one, two]) keys.report(() => ({ fingerprints: [], problem: undefined }));
    await eventually(async () => expect(await reader.servers()).toHaveLength(2));
    for (const { name } of await reader.servers()) expect(name).toMatch(new RegExp(`/${process.pid}/[0-9a-f]{4}$`));
  });

  test('are told as soon as Redis is there, and again when it was away', async () => {
    await using redis = await TestRedis.prepare();
    await using server = keysOn(redis, hurriedClock);
    await using reader = keysOn(redis);
    server.report(() => ({ fingerprints: ['aa'], problem: undefined }), 'server');
    await expect(reader.servers()).rejects.toMatchObject({
      code: 'INBOX_UNAVAILABLE',
      message: 'Redis cannot be used now (ECONNREFUSED)',
    });
    await redis.start();
    await eventually(async () => expect(await reader.servers()).toHaveLength(1));
    await redis.kill();
    await redis.start();
    await eventually(async () => expect(await reader.servers()).toHaveLength(1));
  });

  test('that nobody can read are passed over', async () => {
    await using redis = await TestRedis.start();
    await using reader = keysOn(redis);
    const client = new Redis(redis.url);
    for (const [name, value] of [
      ['a', '{'],
      ['b', '{"fingerprints":"aa"}'],
      ['c', '{"fingerprints":[1]}'],
    ] as const) {
      await client.zadd('{flowgate}:keys', Date.now(), name);
      await client.set(`{flowgate}:keys:${name}`, value);
    }
    expect(await reader.servers()).toEqual([]);
    client.disconnect();
  });

  test('closing is quick while Redis hangs', async () => {
    await using redis = await TestRedis.start();
    const server = keysOn(redis, hurriedClock);
    server.report(() => ({ fingerprints: ['aa'], problem: undefined }));
    await sleep(50);
    redis.pause();
    const startedMs = performance.now();
    await server.close();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    redis.resume();
  });
});
