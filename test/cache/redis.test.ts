/** `c.cache` on several servers that share a Redis, which is away at times. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCache, type OpenCacheOptions } from '../../src/cache/cache.ts';
import { eventually } from '../support/eventually.ts';
import { recordingLog } from '../support/log.ts';
import { within } from '../support/raw-http.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';

const ttl = { ttl: '10m' } as const;
const graced = { ttl: '10m', grace: '1h' } as const;

function open(redis: TestRedis, options: Partial<OpenCacheOptions> = {}) {
  const { log, lines } = recordingLog();
  const cache = createCache({ redisUrl: redis.url, log, ...options });
  return { cache, lines, [Symbol.asyncDispose]: () => within(cache.close(), 'close') };
}

async function withClient<T>(redis: TestRedis, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** Resolves when so many caches hear of each other. */
const listening = (redis: TestRedis, count: number) =>
  eventually(() =>
    withClient(redis, async (client) => {
      expect(await client.pubsub('NUMSUB', 'flowgate:cache:changes')).toEqual(['flowgate:cache:changes', count]);
    }),
  );

describe.runIf(hasRedisServer)('two caches on one Redis', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    vi.useRealTimers();
    expect(unhandled).toEqual([]);
  });

  /** Both in use, and listening. */
  async function openTwo(redis: TestRedis) {
    const [first, second] = [open(redis), open(redis)];
    for (const { cache } of [first, second]) await cache.getOrSet('warm', ttl, () => 1);
    await listening(redis, 2);
    await withClient(redis, (client) => client.flushall());
    return { first: first.cache, second: second.cache, [Symbol.asyncDispose]: () => closeBoth([first, second]) };
  }

  async function closeBoth(caches: readonly AsyncDisposable[]): Promise<void> {
    await Promise.all(caches.map((cache) => cache[Symbol.asyncDispose]()));
  }

  test('fill each other', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    const value = { at: ['10:00'], größe: '👍\0' };
    expect(await both.first.getOrSet('a', ttl, () => value)).toEqual(value);
    const load = vi.fn(() => value);
    expect(await both.second.getOrSet('a', ttl, load)).toEqual(value);
    expect(load).not.toHaveBeenCalled();
  });

  test('tell in their metrics what came from Redis, and what was stale there', async () => {
    await using redis = await TestRedis.start();
    const outcomes: string[] = [];
    const metrics = { cacheRequest: (outcome: string) => void outcomes.push(outcome), cacheLoad() {} };
    await using first = open(redis);
    await using second = open(redis, { metrics });
    await first.cache.getOrSet('kept', ttl, () => 1);
    await first.cache.getOrSet<unknown>('stale', graced, () => 'old');
    await second.cache.getOrSet('kept', ttl, () => 2);
    await second.cache.getOrSet('kept', ttl, () => 2);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    const down = () => Promise.reject(new Error('down'));
    expect(await second.cache.getOrSet<unknown>('stale', graced, down)).toBe('old');
    await second.cache.getOrSet('new', ttl, () => 3);
    expect(outcomes).toEqual(['redis', 'memory', 'stale', 'loaded']);
  });

  test('forget what one of them deletes', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    for (const cache of [both.first, both.second]) await cache.getOrSet('a', graced, () => 'old');
    await both.first.delete('a');
    expect(
      await eventually(async () => {
        const value = await both.second.getOrSet('a', graced, () => 'new');
        expect(value).toBe('new');
        return value;
      }),
    ).toBe('new');
    expect(await both.first.getOrSet('a', graced, () => 'not asked')).toBe('new');
  });

  test('do not bring back what is deleted while they read it', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    await both.first.getOrSet('a', ttl, () => 'old');
    const reading = both.second.getOrSet('a', ttl, () => 'not asked');
    await new Promise(setImmediate); // it has asked Redis by now, and cannot have read the answer
    await both.second.delete('a');
    await reading;
    expect(await both.second.getOrSet('a', ttl, () => 'new')).toBe('new');
  });

  test('take what one of them has loaded anew', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    for (const cache of [both.first, both.second]) await cache.getOrSet('a', ttl, () => 'old');
    await withClient(redis, (client) => client.del('flowgate:cache:a'));
    await both.first.delete('a');
    await both.first.getOrSet('a', ttl, () => 'new');
    await eventually(async () => expect(await both.second.getOrSet('a', ttl, () => 'not asked')).toBe('new'));
  });

  test('keep what they share for lifetime and grace, under the prefix of the app', async () => {
    await using redis = await TestRedis.start();
    await using opened = open(redis, { prefix: 'shop:cache' });
    await using other = open(redis);
    await opened.cache.getOrSet('a', graced, () => 'one');
    expect(await other.cache.getOrSet('a', graced, () => 'of another app')).toBe('of another app');
    await withClient(redis, async (client) => {
      expect((await client.keys('*')).sort()).toEqual(['flowgate:cache:a', 'shop:cache:a']);
      const leftMs = await client.pttl('shop:cache:a');
      expect(leftMs).toBeGreaterThan(65 * 60_000);
      expect(leftMs).toBeLessThanOrEqual(70 * 60_000);
    });
  });

  test('put nothing into Redis that is undefined, or over 1 MiB', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    await both.first.getOrSet('none', ttl, () => undefined);
    await both.first.getOrSet('large', ttl, () => 'x'.repeat(1024 * 1024));
    await withClient(redis, async (client) => expect(await client.keys('*')).toEqual([]));
  });

  test('take no harm from what others write to their channel, or under their keys', async () => {
    await using redis = await TestRedis.start();
    await using both = await openTwo(redis);
    await both.first.getOrSet('a', ttl, () => 'kept');
    const message = { type: 'delete', keys: 5, namespace: 'flowgate:cache' };
    const texts = ['', '{', 'null', '{"from":"x"}', '{"message":null}', JSON.stringify({ from: 'x', message })];
    await withClient(redis, async (client) => {
      for (const text of texts) await client.publish('flowgate:cache:changes', text);
      await client.set('flowgate:cache:b', 'no JSON');
    });
    expect(await both.second.getOrSet('b', ttl, () => 'loaded')).toBe('loaded');
    expect(await both.first.getOrSet('a', ttl, () => 'not asked')).toBe('kept');
  });
});

describe.runIf(hasRedisServer)('a cache whose Redis', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  test('is not there at the start works in memory, prints nothing, and shares when Redis comes', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    await using redis = await TestRedis.prepare();
    await using opened = open(redis);
    const { cache } = opened;
    const load = vi.fn(() => 'one');
    for (let i = 0; i < 3; i++) expect(await within(cache.getOrSet('a', ttl, load), 'a value')).toBe('one');
    expect(load).toHaveBeenCalledTimes(1);
    await within(cache.delete('a'), 'a delete');
    await redis.start();
    await listening(redis, 1);
    let n = 0;
    await eventually(async () => {
      await cache.getOrSet(`again ${n++}`, ttl, load);
      expect(await withClient(redis, (client) => client.keys('*'))).not.toEqual([]);
    });
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  test('hangs is waited for once, and then left alone: values come from memory or their source', async () => {
    await using redis = await TestRedis.start();
    await using opened = open(redis);
    const { cache, lines } = opened;
    await cache.getOrSet('a', ttl, () => 'one');
    redis.pause();
    const values = Array.from({ length: 50 }, (_, i) => cache.getOrSet(`${i}`, ttl, () => i));
    expect(await within(Promise.all(values), 'values')).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(
      await within(
        cache.getOrSet('a', ttl, () => 'not asked'),
        'a value',
      ),
    ).toBe('one');
    await within(cache.delete('a'), 'a delete');
    await expect(cache.getOrSet('b', ttl, () => Promise.reject(new RangeError('down')))).rejects.toThrow(RangeError);
    redis.resume();
    let n = 0;
    await eventually(async () => {
      await cache.getOrSet(`again ${n++}`, ttl, () => 'one');
      const keys = await withClient(redis, (client) => client.keys('flowgate:cache:again*'));
      expect(keys).not.toEqual([]);
    });
    expect(lines).toEqual([]);
  });

  test('is gone from its connections without a word is found on new ones, by those who ask and those who listen', async () => {
    await using redis = await TestRedis.start();
    await using line = await startLine(redis.port);
    await using opened = open(redis, { redisUrl: line.url });
    await using other = open(redis);
    for (const { cache } of [opened, other]) await cache.getOrSet('a', ttl, () => 'old');
    line.cutSilently();
    await other.cache.delete('a');
    const changed = 'new';
    expect(await other.cache.getOrSet('a', ttl, () => changed)).toBe(changed);
    expect(await opened.cache.getOrSet('a', ttl, () => 'not asked')).toBe('old'); // it has not heard of it
    expect(
      await within(
        opened.cache.getOrSet('b', ttl, () => 1),
        'a value',
      ),
    ).toBe(1);
    await eventually(async () => expect(await opened.cache.getOrSet('a', ttl, () => 'not asked')).toBe(changed));
  });

  test('was away forgets its memory when it listens again: what was deleted meanwhile is not known', async () => {
    await using redis = await TestRedis.start();
    await using opened = open(redis);
    const { cache } = opened;
    await cache.getOrSet('a', ttl, () => 'old');
    await listening(redis, 1);
    expect(await cache.getOrSet('a', ttl, () => 'not asked')).toBe('old');
    await redis.kill();
    expect(
      await within(
        cache.getOrSet('a', ttl, () => 'not asked'),
        'a value',
      ),
    ).toBe('old');
    await redis.start(); // empty, as if another server had deleted it
    await listening(redis, 1);
    await eventually(async () => expect(await cache.getOrSet('a', ttl, () => 'new')).toBe('new'));
  });

  test.each(['down', 'up', 'hanging'] as const)('is %s leaves nothing open after close', async (how) => {
    await using redis = await TestRedis.prepare();
    if (how !== 'down') await redis.start();
    const script = fileURLToPath(new URL('../support/use-cache.ts', import.meta.url));
    const args = ['--import', 'tsx', script, redis.url];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await within(once(child.stdout, 'data'), 'a used cache');
      if (how === 'hanging') redis.pause();
      child.stdin.end('close');
      expect(await within(once(child, 'exit'), 'the end of the process')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('does not let it listen shares all the same', async () => {
    await using redis = await TestRedis.start();
    await withClient(redis, (client) =>
      client.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '+@all', 'resetchannels'),
    );
    await using opened = open(redis, { redisUrl: redis.url.replace('//', '//deaf:pw@') });
    expect(await opened.cache.getOrSet('a', ttl, () => 1)).toBe(1);
    expect(await withClient(redis, (client) => client.keys('*'))).toEqual(['flowgate:cache:a']);
    await within(opened.cache.delete('a'), 'a delete');
    expect(await opened.cache.getOrSet('a', ttl, () => 2)).toBe(2);
  });

  test('wants another password works in memory, and tells nobody the one that was sent', async () => {
    await using redis = await TestRedis.start('--requirepass', 'right');
    await using opened = open(redis, { redisUrl: redis.url.replace('//', '//:canary@') });
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
    expect(
      await within(
        opened.cache.getOrSet('a', ttl, () => 1),
        'a value',
      ),
    ).toBe(1);
    await delay(0);
    expect(JSON.stringify([opened.lines, printed.map(({ mock }) => mock.calls)])).not.toContain('canary');
    for (const spy of printed) spy.mockRestore();
  });
});

/** A line to what listens on this port. Cut, what is on it goes nowhere, and no end of it is told; new lines work. */
async function startLine(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1' });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far).pipe(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutSilently() {
      for (const socket of sockets) socket.unpipe().resume();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
