/** `c.cache` in memory alone. Time passes only when a test says so. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCache } from '../../src/cache/cache.ts';
import { recordingLog, silentLog } from '../support/log.ts';

// Before bentocache is loaded, which is when the first cache is used: its memory level notes then which clock to read.
beforeAll(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterAll(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;
const ttl = { ttl: '10m' } as const;
const graced = { ttl: '10m', grace: '1h' } as const;

const newCache = () => createCache({ log: silentLog });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A source that answers what it was told to, when it was told to. */
function slowSource() {
  const answers: ((value: unknown) => void)[] = [];
  const failures: ((error: unknown) => void)[] = [];
  const load = vi.fn(() => {
    return new Promise<unknown>((resolve, reject) => {
      answers.push(resolve);
      failures.push(reject);
    });
  });
  const asked = async (times: number) => {
    while (load.mock.calls.length < times) await pass(0);
  };
  return { load, asked, answers, failures };
}

describe('getOrSet', () => {
  test('loads once, and then gives what is kept until its lifetime is over', async () => {
    const cache = newCache();
    const load = vi.fn(async () => ({ slots: ['10:00'] }));
    expect(await cache.getOrSet('a', ttl, load)).toEqual({ slots: ['10:00'] });
    await pass(10 * MINUTE_MS - 1);
    expect(await cache.getOrSet('a', ttl, load)).toEqual({ slots: ['10:00'] });
    expect(load).toHaveBeenCalledTimes(1);
    await pass(1);
    await cache.getOrSet('a', ttl, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('tells keys apart', async () => {
    const cache = newCache();
    expect(await cache.getOrSet('a', ttl, () => 1)).toBe(1);
    expect(await cache.getOrSet('A', ttl, () => 2)).toBe(2);
    expect(await newCache().getOrSet('a', ttl, () => 3)).toBe(3);
  });

  test('loads once for 1,000 who miss it together, and gives each a copy of its own', async () => {
    const cache = newCache();
    const load = vi.fn(async () => ({ slots: ['10:00'] }));
    const values = await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, load)));
    expect(load).toHaveBeenCalledTimes(1);
    values[0]?.slots.push('changed');
    expect(new Set(values.slice(1).map((value) => value.slots.length))).toEqual(new Set([1]));
    expect(await cache.getOrSet('a', ttl, load)).toEqual({ slots: ['10:00'] });
  });

  test('fails once for 1,000 who miss it together, with the very error, and tries again for the next', async () => {
    const cache = newCache();
    const error = new RangeError('the source is down');
    const load = vi.fn(() => Promise.reject(error));
    const calls = await Promise.allSettled(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, load)));
    expect(new Set(calls.map((call) => call.status === 'rejected' && call.reason))).toEqual(new Set([error]));
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cache.getOrSet('a', ttl, () => 'up')).toBe('up');
  });

  test.each([undefined, null, 'a text', 0])('rejects with %s when that is what was thrown', async (thrown) => {
    const cache = newCache();
    const value = cache.getOrSet('a', graced, () => {
      throw thrown;
    });
    expect(await value.catch((error) => ({ error }))).toEqual({ error: thrown });
  });

  test.each([[null], [false], [0], [''], [[]]])('keeps %j', async (value) => {
    const cache = newCache();
    const load = vi.fn(() => value);
    for (let i = 0; i < 2; i++) expect(await cache.getOrSet('a', ttl, load)).toEqual(value);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test.each([undefined, () => 1, Symbol('none')])(
    'gives undefined for %s, asks once for all, and keeps nothing',
    async (value) => {
      const cache = newCache();
      const load = vi.fn(async () => value);
      const values = await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('a', ttl, load)));
      expect(new Set(values)).toEqual(new Set([undefined]));
      expect(load).toHaveBeenCalledTimes(1);
      expect(await cache.getOrSet<unknown>('a', ttl, () => 'now')).toBe('now');
    },
  );

  test('gives the first caller what the next ones get: what JSON makes of it', async () => {
    const cache = newCache();
    const load = () => ({ at: new Date(0), none: undefined, map: new Map([[1, 2]]) });
    const first: unknown = await cache.getOrSet('a', ttl, load);
    expect(first).toEqual({ at: '1970-01-01T00:00:00.000Z', map: {} });
    expect(await cache.getOrSet('a', ttl, load)).toEqual(first);
  });

  test('rejects what JSON cannot hold', async () => {
    const cache = newCache();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    await expect(cache.getOrSet<unknown>('a', ttl, () => 1n)).rejects.toThrow(TypeError);
    await expect(cache.getOrSet<unknown>('a', ttl, () => circle)).rejects.toThrow(TypeError);
  });

  test('keeps any JSON as it is', async () => {
    const cache = newCache();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        n += 1;
        const json = JSON.parse(JSON.stringify(value)); // -0 is 0
        expect(await cache.getOrSet(`${n}`, ttl, () => value)).toEqual(json);
        expect(await cache.getOrSet(`${n}`, ttl, () => 'not asked')).toEqual(json);
      }),
    );
  });

  test('takes a key of 1 to 500 characters, and a lifetime of up to 30 days', async () => {
    const cache = newCache();
    const load = vi.fn(() => 1);
    expect(await cache.getOrSet('k'.repeat(500), { ttl: '30d', grace: '30d' }, load)).toBe(1);
    for (const key of ['', 'k'.repeat(501), 1 as never]) {
      await expect(cache.getOrSet(key, ttl, load)).rejects.toThrow(TypeError);
      await expect(cache.delete(key)).rejects.toThrow(TypeError);
    }
    for (const options of [
      { ttl: '31d' },
      { ttl: '0s' },
      { ttl: '1m', grace: '31d' },
      { ttl: '5' as never },
    ] as const) {
      await expect(cache.getOrSet('a', options, load)).rejects.toThrow(TypeError);
    }
    expect(load).toHaveBeenCalledTimes(1);
  });
});

describe('a source that', () => {
  test('fails leaves the stale value in use, for its grace after its lifetime and no longer', async () => {
    const cache = newCache();
    await cache.getOrSet('a', graced, () => 'old');
    const fails = vi.fn(() => Promise.reject(new Error('down')));
    for (let minutes = 10; minutes < 70; minutes += 10) {
      await pass(10 * MINUTE_MS);
      expect(await cache.getOrSet('a', graced, fails)).toBe('old');
    }
    expect(fails).toHaveBeenCalledTimes(6);
    await pass(10 * MINUTE_MS + 1);
    await expect(cache.getOrSet('a', graced, fails)).rejects.toThrow('down');
  });

  test('has a grace shorter than its lifetime is given both', async () => {
    const cache = newCache();
    const options = { ttl: '10m', grace: '1m' } as const;
    await cache.getOrSet('a', options, () => 'old');
    await pass(10 * MINUTE_MS - 1);
    expect(await cache.getOrSet('a', options, () => 'new')).toBe('old');
    await pass(2);
    expect(await cache.getOrSet('a', options, () => Promise.reject(new Error('down')))).toBe('old');
  });

  test('is slow is waited for 250 ms where there is a stale value; what it finds then is kept', async () => {
    const cache = newCache();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await pass(11 * MINUTE_MS);
    const { load, asked, answers } = slowSource();
    const settled = vi.fn();
    const first = cache.getOrSet('a', graced, load);
    first.then(settled);
    await asked(1);
    await pass(249);
    expect(settled).not.toHaveBeenCalled();
    await pass(1);
    expect(await first).toBe('old');
    const second = cache.getOrSet('a', graced, load);
    await pass(250);
    expect(await second).toBe('old');
    expect(load).toHaveBeenCalledTimes(1); // it is asked still
    answers[0]?.('new');
    await pass(0);
    expect(await cache.getOrSet('a', graced, load)).toBe('new');
  });

  test('is slow is waited for where there is nothing else', async () => {
    const cache = newCache();
    const { load, asked, answers } = slowSource();
    const value = cache.getOrSet('a', graced, load);
    await asked(1);
    await pass(20_000);
    answers[0]?.('at last');
    expect(await value).toBe('at last');
  });

  test('is slow, and fails after it was given up, disturbs nobody', async () => {
    const cache = newCache();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await pass(11 * MINUTE_MS);
    const { load, asked, failures } = slowSource();
    const stale = cache.getOrSet('a', graced, load);
    await asked(1);
    await pass(250);
    expect(await stale).toBe('old');
    failures[0]?.(new Error('down'));
    await pass(0);
    expect(await cache.getOrSet('a', graced, () => 'new')).toBe('new');
  });

  test('never answers has failed after 30 s, and is asked again', async () => {
    const cache = newCache();
    const { load, asked } = slowSource();
    const value = cache.getOrSet('a', ttl, load);
    value.catch(() => {});
    await asked(1);
    await pass(30_000);
    await expect(value).rejects.toThrow('did not come within 30000 ms');
    expect(await cache.getOrSet<unknown>('a', ttl, () => 'new')).toBe('new');
  });

  test('never answers beside a stale value holds nobody up after 30 s either', async () => {
    const cache = newCache();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await pass(11 * MINUTE_MS);
    const { load, asked } = slowSource();
    const stale = cache.getOrSet('a', graced, load);
    await asked(1);
    await pass(30_000);
    expect(await stale).toBe('old');
    expect(await cache.getOrSet<unknown>('a', graced, () => 'new')).toBe('new');
  });
});

describe('delete', () => {
  test('has the next caller load anew', async () => {
    const cache = newCache();
    await cache.getOrSet('a', graced, () => 'old');
    await cache.getOrSet('b', graced, () => 'other');
    await cache.delete('a');
    await cache.delete('never there');
    expect(await cache.getOrSet('a', graced, () => 'new')).toBe('new');
    expect(await cache.getOrSet('b', graced, () => 'not asked')).toBe('other');
  });

  test('is not undone by what was being loaded', async () => {
    const cache = newCache();
    const { load, asked, answers } = slowSource();
    const before = cache.getOrSet('a', graced, load);
    await asked(1);
    await cache.delete('a');
    const afterwards = cache.getOrSet('a', graced, load);
    answers[0]?.('read before the delete');
    expect(await before).toBe('read before the delete');
    await asked(2);
    answers[1]?.('new');
    expect(await afterwards).toBe('new');
  });

  test('is not undone by what goes on being loaded behind a stale value', async () => {
    const cache = newCache();
    await cache.getOrSet<unknown>('a', graced, () => 'old');
    await pass(11 * MINUTE_MS);
    const { load, asked, answers } = slowSource();
    const stale = cache.getOrSet('a', graced, load);
    await asked(1);
    await pass(250);
    await stale;
    await cache.delete('a');
    answers[0]?.('read before the delete');
    await pass(0);
    expect(await cache.getOrSet<unknown>('a', graced, () => 'new')).toBe('new');
  });
});

describe('the memory', () => {
  test('holds 5,000 values: one more, and what was not asked for the longest is gone', async () => {
    const cache = newCache();
    const load = vi.fn((n: number) => n);
    const get = (n: number) => cache.getOrSet(`${n}`, ttl, () => load(n));
    for (let n = 0; n < 5_000; n++) await get(n);
    await get(0);
    await get(5_000);
    load.mockClear();
    await get(0);
    expect(load).not.toHaveBeenCalled();
    await get(1);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('holds 32 MiB', async () => {
    const cache = newCache();
    const load = vi.fn(() => 'x'.repeat(1_000_000));
    for (let n = 0; n < 34; n++) await cache.getOrSet(`${n}`, ttl, load);
    expect(load).toHaveBeenCalledTimes(34);
    await cache.getOrSet('33', ttl, load);
    expect(load).toHaveBeenCalledTimes(34);
    await cache.getOrSet('0', ttl, load);
    expect(load).toHaveBeenCalledTimes(35);
  });

  test('holds no value over 1 MiB as JSON, and says so once, without it', async () => {
    const { log, lines } = recordingLog();
    const cache = createCache({ log });
    const largest = vi.fn(() => 'x'.repeat(1024 * 1024 - 2));
    const larger = vi.fn(() => `canary${'x'.repeat(1024 * 1024 - 7)}`);
    for (let i = 0; i < 3; i++) {
      expect((await cache.getOrSet('largest', ttl, largest)).length).toBe(1024 * 1024 - 2);
      expect((await cache.getOrSet('larger canary', ttl, larger)).length).toBe(1024 * 1024 - 1);
    }
    expect([largest.mock.calls.length, larger.mock.calls.length]).toEqual([1, 3]);
    expect(lines).toMatchObject([{ level: 40, code: 'CACHE_VALUE_TOO_LARGE', chars: 1024 * 1024 + 1 }]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

test('a cache that was never used has nothing to close', async () => {
  const timers = vi.getTimerCount();
  await newCache().close();
  expect(vi.getTimerCount()).toBe(timers);
});

test('a source that never answers does not hold up the end', async () => {
  const timers = vi.getTimerCount();
  const cache = newCache();
  const { load, asked } = slowSource();
  const value = cache.getOrSet('a', ttl, load);
  value.catch(() => {});
  await asked(1);
  await cache.close();
  await expect(value).rejects.toThrow('the cache was closed');
  expect(vi.getTimerCount()).toBe(timers);
});
