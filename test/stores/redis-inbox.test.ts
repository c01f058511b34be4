/** What is Redis's own: it goes, comes back, hangs, forgets; and several processes share it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openRedisInbox, type RedisInboxOptions } from '../../src/stores/redis-inbox.ts';
import { type ClaimedItem, DEDUPE_MS, type Inbox, type NewItem } from '../../src/webhooks/inbox.ts';
import { eventually } from '../support/eventually.ts';
import { recordingLog } from '../support/log.ts';
import { giveUp, itemId, newItem } from '../support/memory-inbox.ts';
import { within } from '../support/raw-http.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const UNAVAILABLE = { code: 'INBOX_UNAVAILABLE' };
const never = new AbortController().signal;
const newItems = (count: number) => Array.from({ length: count }, (_, i) => newItem(i + 1));

/** An inbox on this Redis, with what it logs; closed at the end of the scope. */
async function open(redis: TestRedis, options: Partial<RedisInboxOptions> = {}) {
  const { log, lines } = recordingLog();
  const inbox = await openRedisInbox({ url: redis.url, clock: systemClock, log, ...options });
  const linesOf = (code: string) => lines.filter((line) => line['code'] === code);
  return { inbox, lines, linesOf, [Symbol.asyncDispose]: () => inbox.close() };
}

/** A client for the test to look at what is stored. */
function clientOf(redis: TestRedis): Redis & AsyncDisposable {
  const client = new Redis(redis.url);
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.disconnect() });
}

async function claimOne(inbox: Inbox): Promise<ClaimedItem> {
  for (;;) {
    const [item] = await within(inbox.claim(1, never), 'an item');
    if (item) return item;
  }
}

/** Every method of an inbox, called once. */
const everyMethod: [string, (inbox: Inbox) => Promise<unknown>][] = [
  ['append', (inbox) => inbox.append([newItem(1)])],
  ['claim', (inbox) => inbox.claim(1, never)],
  ['replay', (inbox) => inbox.replay()],
  ['replay of one', (inbox) => inbox.replay(itemId(1))],
  ['purge', (inbox) => inbox.purge()],
  ['purge of one', (inbox) => inbox.purge(itemId(1))],
  ['list', (inbox) => inbox.list('waiting', 10)],
  ['find', (inbox) => inbox.find(itemId(1))],
  ['stats', (inbox) => inbox.stats()],
  ['beginEffect', (inbox) => inbox.beginEffect(itemId(1), 'send')],
  ['endEffect', (inbox) => inbox.endEffect(itemId(1), 'send', undefined)],
  ['undoEffect', (inbox) => inbox.undoEffect(itemId(1), 'send')],
];

describe.runIf(hasRedisServer)('the inbox on a Redis', () => {
  let printed: MockInstance[];
  beforeEach(() => {
    printed = (['log', 'info', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method));
  });
  afterEach(() => {
    for (const spy of printed) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });

  describe('that goes and comes', () => {
    test('opens while Redis is down, rejects everything, and works as soon as it is up', async () => {
      await using redis = await TestRedis.prepare();
      await using opened = await open(redis);
      const { inbox } = opened;
      for (const [name, call] of everyMethod) {
        await expect(within(call(inbox), name), name).rejects.toMatchObject(UNAVAILABLE);
      }
      expect(opened.lines).toMatchObject([{ level: 50, ...UNAVAILABLE, reason: 'ECONNREFUSED' }]);
      await redis.start();
      expect(await eventually(() => inbox.append([newItem(1)]))).toEqual([true]);
      expect(await claimOne(inbox)).toMatchObject(newItem(1));
      expect(opened.linesOf('INBOX_UNAVAILABLE')).toHaveLength(1);
      expect(opened.lines.filter(({ msg }) => msg === 'Redis can be used again')).toHaveLength(1);
    });

    test('loses nothing that was acknowledged when Redis is killed, with appendfsync always', async () => {
      await using redis = await TestRedis.start(...DURABLE);
      await using opened = await open(redis, { leaseMs: 500 });
      const { inbox } = opened;
      await inbox.append(newItems(4));
      const [done, dead, leased] = (await inbox.claim(3, never)) as [ClaimedItem, ClaimedItem, ClaimedItem];
      await inbox.settle(done, '"kept"');
      await inbox.dead(dead, 'HANDLER_FAILED');
      await redis.kill();
      await expect(inbox.append([newItem(5)])).rejects.toMatchObject(UNAVAILABLE);
      await expect(inbox.settle(leased)).rejects.toMatchObject(UNAVAILABLE);
      await redis.start();
      expect(await eventually(() => inbox.append(newItems(5)))).toEqual([false, false, false, false, true]);
      expect(await inbox.find(done.id)).toMatchObject({ state: 'done', result: '"kept"' });
      expect(await inbox.find(dead.id)).toMatchObject({ state: 'dead' });
      const left = new Set([leased.id, itemId(4), itemId(5)]);
      while (left.size > 0) {
        const item = await claimOne(inbox);
        expect(item.attempt).toBe(item.id === leased.id ? 2 : 1);
        expect(await inbox.settle(item)).toBe(left.delete(item.id));
      }
      expect(opened.linesOf('INBOX_UNAVAILABLE')).toHaveLength(1);
      expect(opened.linesOf('INBOX_LOST')).toHaveLength(0);
    });

    test('has every event it acknowledged when it is killed among many', async () => {
      await using redis = await TestRedis.start(...DURABLE);
      await using opened = await open(redis);
      const acknowledged: NewItem[] = [];
      let next = 0;
      const producer = async () => {
        for (;;) {
          const item = newItem(++next);
          await opened.inbox.append([item]);
          acknowledged.push(item);
        }
      };
      const producers = Promise.allSettled(Array.from({ length: 20 }, producer));
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(100));
      await redis.kill();
      await within(producers, 'the end of what was under way');
      await redis.start();
      const again = await eventually(() => opened.inbox.append(acknowledged));
      expect(again.filter((isNew) => isNew)).toEqual([]);
    });

    test('a claim that waits meanwhile ends, and the next ones wait again', async () => {
      await using redis = await TestRedis.start(...DURABLE);
      await using opened = await open(redis);
      const { inbox } = opened;
      const waiting = Promise.allSettled([inbox.claim(1, never), inbox.claim(1, never)]);
      await redis.stop();
      await within(waiting, 'the end of the claims');
      await redis.start();
      const claiming = eventually(() => claimOne(inbox));
      await eventually(() => inbox.append([newItem(1)]));
      expect(await claiming).toMatchObject(newItem(1));
    });

    test('rejects what a Redis that hangs does not answer, sends it no more, and works when it answers', async () => {
      await using redis = await TestRedis.start();
      await using opened = await open(redis);
      const { inbox } = opened;
      await inbox.append([newItem(1)]);
      redis.pause();
      const appended = newItems(50).map((item) => inbox.append([item]));
      for (const append of appended) await expect(within(append, 'an answer')).rejects.toMatchObject(UNAVAILABLE);
      for (const [name, call] of everyMethod) {
        await expect(within(call(inbox), name), name).rejects.toMatchObject(UNAVAILABLE);
      }
      await expect(inbox.append([newItem(51)])).rejects.toMatchObject(UNAVAILABLE);
      await eventually(() => expect(opened.linesOf('INBOX_UNAVAILABLE')).toMatchObject([{ reason: 'TIMEOUT' }]));
      redis.resume();
      expect(await eventually(() => inbox.append([newItem(1), newItem(51)]))).toEqual([false, true]);
      expect(opened.linesOf('INBOX_UNAVAILABLE')).toHaveLength(1);
    });

    test('says when Redis came back empty, once', async () => {
      await using redis = await TestRedis.start();
      await using opened = await open(redis);
      const { inbox, linesOf } = opened;
      await inbox.append([newItem(1)]);
      for (const times of [1, 2]) {
        await redis.kill();
        await redis.start();
        expect(await eventually(() => inbox.append([newItem(1)]))).toEqual([true]);
        await eventually(() => expect(linesOf('INBOX_LOST')).toHaveLength(times));
      }
      expect(linesOf('INBOX_LOST')[0]).toMatchObject({ level: 50 });
    });

    test('does not say so when a Redis that kept everything comes back', async () => {
      await using redis = await TestRedis.start(...DURABLE);
      await using opened = await open(redis);
      await redis.kill();
      await redis.start();
      await eventually(() => opened.inbox.stats());
      expect(opened.linesOf('INBOX_LOST')).toHaveLength(0);
    });

    test('stores again after somebody emptied the cache of scripts', async () => {
      await using redis = await TestRedis.start();
      await using opened = await open(redis);
      await using client = clientOf(redis);
      await opened.inbox.append([newItem(1)]);
      await client.script('FLUSH');
      expect(await eventually(() => opened.inbox.append([newItem(2)]))).toEqual([true]);
      expect(await claimOne(opened.inbox)).toMatchObject(newItem(1));
    });

    test('stores all or none when Redis has no memory left', async () => {
      await using redis = await TestRedis.start();
      await using opened = await open(redis);
      await using client = clientOf(redis);
      await opened.inbox.append([newItem(1)]);
      await client.config('SET', 'maxmemory', '1');
      await expect(opened.inbox.append([newItem(2), newItem(3, { delayMs: 1 })])).rejects.toMatchObject(UNAVAILABLE);
      await client.config('SET', 'maxmemory', '0');
      expect(await opened.inbox.append(newItems(3))).toEqual([false, true, true]);
      expect(opened.linesOf('INBOX_UNAVAILABLE')).toHaveLength(0); // Redis was there all the time
    });
  });

  describe('says at the start what Redis may lose', () => {
    const risksOf = async (...args: string[]) => {
      await using redis = await TestRedis.start(...args);
      await using opened = await open(redis);
      return opened.lines.map(({ level, setting, msg }) => ({ level, setting, msg }));
    };
    const lossOf = (what: string) => expect.stringContaining(what);

    test('nothing, with noeviction and appendfsync always', async () => {
      expect(await risksOf(...DURABLE)).toEqual([]);
    });

    test('a second, with appendfsync everysec', async () => {
      const risk = { level: 40, setting: 'appendfsync everysec', msg: lossOf('up to one second of acknowledged') };
      expect(await risksOf('--appendonly', 'yes')).toEqual([risk]);
    });

    test('whatever the system has not written, with appendfsync no', async () => {
      const risk = { level: 40, setting: 'appendfsync no', msg: lossOf('what the system had not written') };
      expect(await risksOf('--appendonly', 'yes', '--appendfsync', 'no')).toEqual([risk]);
    });

    test('everything since the last snapshot, without appendonly, and what is evicted', async () => {
      const snapshot = {
        level: 40,
        setting: 'appendonly no',
        msg: lossOf('every event stored since its last snapshot'),
      };
      const evicted = { level: 40, setting: 'maxmemory-policy allkeys-lru', msg: lossOf('may evict stored events') };
      expect(await risksOf('--maxmemory-policy', 'allkeys-lru')).toEqual([evicted, snapshot]);
    });

    test('that it cannot tell, when Redis does not show its settings', async () => {
      const line = { level: 30, setting: undefined, msg: lossOf('was not checked') };
      expect(await risksOf('--rename-command', 'CONFIG', '')).toEqual([line]);
    });
  });

  describe('shared by several processes', () => {
    test('tells one of 50 that append the same items at once that they are new', async () => {
      await using redis = await TestRedis.start();
      await using first = await open(redis);
      await using second = await open(redis);
      const inboxes = [first.inbox, second.inbox];
      const appended = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (inboxes[i % 2] as Inbox).append([newItem(1), newItem(2 + (i % 5))])),
      );
      expect(appended.filter(([isNew]) => isNew)).toHaveLength(1);
      expect(appended.flat().filter(Boolean)).toHaveLength(6);
      expect(await first.inbox.stats()).toMatchObject({ waiting: 6 });
    });

    test('hands each item to one of them, and to another when that one is gone', async () => {
      await using redis = await TestRedis.start();
      await using second = await open(redis, { leaseMs: 500 });
      const { inbox: first } = await open(redis, { leaseMs: 500 });
      await second.inbox.append(newItems(20));
      const claims = await Promise.all([first.claim(12, never), second.inbox.claim(12, never)]);
      const claimed = claims.flat().map(({ id }) => id);
      expect(new Set(claimed).size).toBe(claimed.length);
      await first.close();
      const lost = new Set(claims[0].map(({ id }) => id));
      while (lost.size > 0) {
        const item = await claimOne(second.inbox);
        if (lost.delete(item.id)) expect(item.attempt).toBe(2);
        await second.inbox.settle(item);
      }
    });

    test('one wakes when another appends', async () => {
      await using redis = await TestRedis.start();
      await using first = await open(redis);
      await using second = await open(redis);
      const claiming = claimOne(first.inbox);
      await second.inbox.append([newItem(1)]);
      expect(await claiming).toMatchObject(newItem(1));
    });

    test('one notices that another filled the inbox', async () => {
      await using redis = await TestRedis.start();
      await using first = await open(redis, { maxWaiting: 3 });
      await using second = await open(redis, { maxWaiting: 3 });
      await first.inbox.append(newItems(3));
      await second.inbox.append([newItem(4)]); // it could not know
      await expect(second.inbox.append([newItem(5)])).rejects.toMatchObject({ code: 'INBOX_FULL' });
    });

    test('keeps every key in one slot of a cluster', async () => {
      await using redis = await TestRedis.start();
      await using opened = await open(redis, { leaseMs: 100 });
      await using client = clientOf(redis);
      const { inbox } = opened;
      await giveUp(inbox, newItems(3));
      await inbox.beginEffect(itemId(1), 'send');
      await inbox.replay(itemId(1));
      await inbox.purge(itemId(2));
      await inbox.append([newItem(4, { delayMs: 60_000 }), newItem(5)]);
      await claimOne(inbox);
      await inbox.settle(await claimOne(inbox), '1');
      await eventually(async () => expect(await client.exists('{flowgate}:inbox:stalled')).toBe(1));
      const keys = await client.keys('*');
      expect(keys.length).toBeGreaterThan(10);
      expect(keys.filter((key) => !key.startsWith('{flowgate}:'))).toEqual([]);
    });
  });

  test('keeps nothing of a payload once the item is done', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using opened = await open(redis);
    await using client = clientOf(redis);
    await opened.inbox.append([newItem(1, { payload: { text: 'a secret' } })]);
    await opened.inbox.retryAt(await claimOne(opened.inbox), 0, 'HANDLER_FAILED');
    await opened.inbox.settle(await claimOne(opened.inbox), '1');
    for (const key of await client.keys('*')) {
      const type = await client.type(key);
      const content =
        type === 'hash' ? await client.hgetall(key) : type === 'stream' ? await client.xrange(key, '-', '+') : {};
      expect(JSON.stringify(content)).not.toContain('a secret');
    }
  });

  test('knows an id for 8 days, longer than it keeps the record', async () => {
    await using redis = await TestRedis.start();
    await using opened = await open(redis);
    await using client = clientOf(redis);
    await opened.inbox.append([newItem(1)]);
    await opened.inbox.settle(await claimOne(opened.inbox));
    const markedForMs = await client.pttl(`{flowgate}:inbox:de:${itemId(1)}`);
    expect(markedForMs).toBeGreaterThan(DEDUPE_MS - 60_000);
    expect(markedForMs).toBeLessThanOrEqual(DEDUPE_MS);
    await client.del(`{flowgate}:inbox:${itemId(1)}`); // as BullMQ does with the oldest of many
    await client.zrem('{flowgate}:inbox:completed', itemId(1));
    expect(await opened.inbox.find(itemId(1))).toBeUndefined();
    expect(await opened.inbox.append(newItems(2))).toEqual([false, true]);
  });

  test('tells no password', async () => {
    await using redis = await TestRedis.start('--requirepass', 'right');
    const url = redis.url.replace('redis://', 'redis://:wrong-secret@');
    await using opened = await open(redis, { url });
    const failure = await opened.inbox.append([newItem(1)]).catch((error: unknown) => error);
    expect(failure).toMatchObject(UNAVAILABLE);
    expect(opened.lines).toMatchObject([{ ...UNAVAILABLE, reason: 'WRONGPASS' }]);
    expect(JSON.stringify([opened.lines, failure, String(failure)])).not.toContain('secret');
  });

  test.each(['down', 'up', 'hanging'] as const)('leaves nothing open after close, with Redis %s', async (how) => {
    await using redis = await TestRedis.prepare();
    if (how !== 'down') await redis.start();
    const script = fileURLToPath(new URL('../support/open-and-close.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, redis.url], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await within(once(child.stdout, 'data'), 'an open inbox');
      if (how === 'hanging') redis.pause();
      child.stdin.end('close');
      expect(await within(once(child, 'exit'), 'the end of the process')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
