/** What the metrics tell of `c.cache` in memory. Time passes only when a test says so. */
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCache } from '../../src/cache/cache.ts';
import { type CacheMetrics, createCacheMetrics } from '../../src/metrics/cache-metrics.ts';
import { silentLog } from '../support/log.ts';

// Before bentocache is loaded, which is when the first cache is used: its memory level notes then which clock to read.
beforeAll(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterAll(() => void vi.useRealTimers());

const ttl = { ttl: '10m' } as const;
const graced = { ttl: '10m', grace: '1h' } as const;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const untilStale = () => pass(11 * 60_000);
const fails = () => Promise.reject(new Error('down'));

/** A cache, and what it has told of since it was last asked. */
function watched() {
  let requests: Record<string, number> = {};
  let loads: [outcome: string, ms: number][] = [];
  const metrics: CacheMetrics = {
    cacheRequest(outcome) {
      requests[outcome] = (requests[outcome] ?? 0) + 1;
    },
    cacheLoad: (outcome, durationMs) => void loads.push([outcome, durationMs]),
  };
  const told = () => {
    const all = { requests, loads };
    [requests, loads] = [{}, []];
    return all;
  };
  return { cache: createCache({ log: silentLog, metrics }), told };
}

/** A source that takes so long. */
const takes = (ms: number, value: unknown) => () => new Promise((resolve) => setTimeout(resolve, ms, value));

describe('a call of getOrSet', () => {
  test('that asks its source is counted as loaded, the next as one from memory', async () => {
    const { cache, told } = watched();
    await cache.getOrSet('a', ttl, () => 1);
    expect(told()).toEqual({ requests: { loaded: 1 }, loads: [['ok', 0]] });
    await cache.getOrSet('a', ttl, () => 1);
    expect(told()).toEqual({ requests: { memory: 1 }, loads: [] });
  });

  test('is shared by who waits for a load that is under way', async () => {
    const { cache, told } = watched();
    await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, () => 1)));
    expect(told()).toEqual({ requests: { loaded: 1, shared: 999 }, loads: [['ok', 0]] });
  });

  test('is from memory for all who ask at the same time for what is kept', async () => {
    const { cache, told } = watched();
    await cache.getOrSet('a', ttl, () => 1);
    told();
    await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, () => 1)));
    expect(told().requests).toEqual({ memory: 1_000 });
  });

  test('has failed for all who wait for a source that fails, which ran once', async () => {
    const { cache, told } = watched();
    await Promise.allSettled(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, fails)));
    expect(told()).toEqual({ requests: { failed: 1_000 }, loads: [['failed', 0]] });
  });

  test('is stale for all when the source of a value in its grace fails', async () => {
    const { cache, told } = watched();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await untilStale();
    told();
    await Promise.all(Array.from({ length: 3 }, () => cache.getOrSet<unknown>('a', graced, fails)));
    expect(told()).toEqual({ requests: { stale: 3 }, loads: [['failed', 0]] });
  });

  test('is stale when the source is slow, also for who comes while it still runs, and that is one load', async () => {
    const { cache, told } = watched();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await untilStale();
    told();
    const first = cache.getOrSet('a', graced, takes(600, 'new'));
    await pass(250);
    expect(await first).toBe('old');
    const second = cache.getOrSet('a', graced, fails);
    await pass(250);
    expect(await second).toBe('old');
    expect(told()).toEqual({ requests: { stale: 2 }, loads: [] });
    await pass(100);
    expect(told()).toEqual({ requests: {}, loads: [['ok', 600]] });
    await cache.getOrSet('a', graced, fails);
    expect(told()).toEqual({ requests: { memory: 1 }, loads: [] });
  });

  test('that finds nothing is loaded, and shared, as any other', async () => {
    const { cache, told } = watched();
    await Promise.all([1, 2].map(() => cache.getOrSet('a', ttl, () => undefined)));
    expect(told().requests).toEqual({ loaded: 1, shared: 1 });
  });

  test('has failed when JSON cannot hold what the source found', async () => {
    const { cache, told } = watched();
    await expect(cache.getOrSet<unknown>('a', ttl, () => 1n)).rejects.toThrow(TypeError);
    expect(told()).toEqual({ requests: { failed: 1 }, loads: [['ok', 0]] });
  });

  test('that its author got wrong is not counted', async () => {
    const { cache, told } = watched();
    await expect(cache.getOrSet('', ttl, () => 1)).rejects.toThrow(TypeError);
    await expect(cache.getOrSet('a', { ttl: '31d' }, () => 1)).rejects.toThrow(TypeError);
    expect(told()).toEqual({ requests: {}, loads: [] });
  });

  test('that begins after a delete is told apart from the one before it', async () => {
    const { cache, told } = watched();
    const before = cache.getOrSet('a', ttl, takes(100, 'old'));
    await pass(50);
    await cache.delete('a');
    const [afterwards, waiting] = [1, 2].map(() => cache.getOrSet('a', ttl, takes(100, 'new')));
    await pass(200);
    expect(await Promise.all([before, afterwards, waiting])).toEqual(['old', 'new', 'new']);
    expect(told().requests).toEqual({ loaded: 2, shared: 1 });
  });

  test('is told apart from those of other keys and of other caches at the same time', async () => {
    const [one, other] = [watched(), watched()];
    await one.cache.getOrSet('a', ttl, () => 1);
    one.told();
    await Promise.all([
      one.cache.getOrSet('a', ttl, () => 1),
      other.cache.getOrSet('a', ttl, () => 1),
      one.cache.getOrSet('b', ttl, () => 1),
    ]);
    expect([one.told().requests, other.told().requests]).toEqual([{ memory: 1, loaded: 1 }, { loaded: 1 }]);
  });
});

describe('a load', () => {
  test('is timed until its source fails', async () => {
    const { cache, told } = watched();
    const value = cache.getOrSet('a', ttl, async () => {
      await takes(70, 0)();
      throw undefined;
    });
    value.catch(() => {});
    await pass(70);
    await expect(value).rejects.toBeUndefined();
    expect(told().loads).toEqual([['failed', 70]]);
  });

  test('has failed after 30 s, and what it finds later is not told of', async () => {
    const { cache, told } = watched();
    const value = cache.getOrSet('a', ttl, takes(31_000, 'late'));
    value.catch(() => {});
    await pass(31_000);
    await expect(value).rejects.toThrow('30000 ms');
    expect(told()).toEqual({ requests: { failed: 1 }, loads: [['failed', 30_000]] });
  });

  test('has failed when the cache is closed', async () => {
    const { cache, told } = watched();
    const value = cache.getOrSet('a', ttl, takes(1_000, 'late'));
    value.catch(() => {});
    await pass(0);
    await cache.close();
    await expect(value).rejects.toThrow('closed');
    expect(told().loads).toEqual([['failed', 0]]);
  });
});

test('the metrics name outcomes and times, and no key', async () => {
  const registry = new Registry();
  const cache = createCache({ log: silentLog, metrics: createCacheMetrics(registry) });
  for (let i = 0; i < 2; i++) {
    const value = cache.getOrSet('a canary', ttl, takes(300, 1));
    await pass(300);
    await value;
  }
  const text = await registry.metrics();
  const lines = text
    .split('\n')
    .filter((line) => /^flowgate_cache_(requests_total|load_seconds_(sum|count))/.test(line));
  expect(lines).toEqual([
    'flowgate_cache_requests_total{outcome="loaded"} 1',
    'flowgate_cache_requests_total{outcome="memory"} 1',
    'flowgate_cache_load_seconds_sum{outcome="ok"} 0.3',
    'flowgate_cache_load_seconds_count{outcome="ok"} 1',
  ]);
  expect(text).not.toContain('canary');
});
