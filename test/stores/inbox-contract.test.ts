/** What every inbox promises, sentence by sentence; `inbox-model.test.ts` holds random sequences of calls to it. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Claim, type ClaimedItem, type Inbox, ITEM_STATES } from '../../src/webhooks/inbox.ts';
import { eventually } from '../support/eventually.ts';
import { inboxEngines, type Open, type OpenOptions } from '../support/inbox-engines.ts';
import { giveUp, itemId, newItem } from '../support/memory-inbox.ts';
import { within } from '../support/raw-http.ts';

/** A lease that ends while a test waits for it. */
const SHORT_LEASE_MS = 100;
const never = new AbortController().signal;
const newItems = (count: number) => Array.from({ length: count }, (_, i) => newItem(i + 1));
const idsOf = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);

/** Time that passes 100 times as fast: what takes seconds is over in a moment. */
const hastyClock: Clock = {
  nowMs: () => systemClock.nowMs() * 100,
  epochMs: () => systemClock.epochMs() + systemClock.nowMs() * 100,
  after: (delayMs, task) => systemClock.after(delayMs / 100, task),
};

describe.each(inboxEngines)('the inbox on $name', ({ isDurable, start }) => {
  let stores: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    stores = await start();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  /** An empty inbox, closed at the end of the scope. */
  async function open(options: OpenOptions = {}) {
    return openStore(stores.newStore(), options);
  }

  async function openStore(store: Open, options: OpenOptions = {}) {
    const inbox = await store(options);
    return { inbox, [Symbol.asyncDispose]: () => inbox.close() };
  }

  /** Claims until `count` items are there. */
  async function claim(inbox: Inbox, count: number): Promise<ClaimedItem[]> {
    const claimed: ClaimedItem[] = [];
    while (claimed.length < count) {
      const more = await within(inbox.claim(count - claimed.length, never), `item ${claimed.length + 1} of ${count}`);
      claimed.push(...more);
    }
    return claimed;
  }

  async function claimOne(inbox: Inbox): Promise<ClaimedItem> {
    const [item] = await claim(inbox, 1);
    if (!item) throw new Error('claim() resolved with less than was counted');
    return item;
  }

  async function expectNothingDue(inbox: Inbox): Promise<void> {
    const gone = new AbortController();
    const claiming = inbox.claim(10, gone.signal);
    gone.abort();
    expect(await within(claiming, 'the end of an aborted claim')).toEqual([]);
  }

  describe('append', () => {
    test('tells for each item whether it is new', async () => {
      await using store = await open();
      const { inbox } = store;
      expect(await inbox.append([])).toEqual([]);
      expect(await inbox.append([newItem(1), newItem(2)])).toEqual([true, true]);
      expect(await inbox.append([newItem(3), newItem(2), newItem(4)])).toEqual([true, false, true]);
      expect(await inbox.append([newItem(5), newItem(5), newItem(1), newItem(5)])).toEqual([true, false, false, false]);
    });

    test('keeps the first of two items of one id', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1, { payload: { is: 'first' } }), newItem(1, { payload: { is: 'second' } })]);
      await inbox.append([newItem(1, { payload: { is: 'third' }, type: 'other', delayMs: 60_000 })]);
      expect(await claim(inbox, 1)).toMatchObject([{ type: 'message.text', payload: { is: 'first' } }]);
      await expectNothingDue(inbox);
    });

    test('knows an id whatever became of the item', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(5));
      const [done, dead, again] = await claim(inbox, 4);
      await inbox.settle(done as Claim);
      await inbox.dead(dead as Claim, 'HANDLER_FAILED');
      await inbox.retryAt(again as Claim, 60_000, 'HANDLER_FAILED');
      const { waiting, leased } = await inbox.stats();
      expect({ waiting, leased }).toEqual({ waiting: 2, leased: 1 });
      expect(await inbox.append(newItems(6))).toEqual([false, false, false, false, false, true]);
    });

    test('tells one of many that append the same items at once that they are new', async () => {
      await using store = await open();
      const { inbox } = store;
      const appended = await Promise.all(Array.from({ length: 50 }, () => inbox.append(newItems(3))));
      expect(appended.flat().filter(Boolean)).toHaveLength(3);
      expect(idsOf(await claim(inbox, 3))).toEqual(idsOf(newItems(3)));
    });

    test('stores any payload as it was', async () => {
      await using store = await open();
      const { inbox } = store;
      const payload = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
      let n = 0;
      await fc.assert(
        fc.asyncProperty(payload, async (given) => {
          const wellFormed = JSON.parse(JSON.stringify(given)) as JsonObject; // JSON has no -0
          const { id } = newItem(++n);
          await inbox.append([newItem(n, { payload: wellFormed })]);
          const item = await claimOne(inbox);
          expect(item).toMatchObject({ id, kind: 'event', type: 'message.text' });
          expect(item.payload).toEqual(wellFormed);
          expect((await inbox.find(id))?.payload).toEqual(wellFormed);
          await inbox.settle(item);
        }),
        { numRuns: 50, examples: [[JSON.parse('{"__proto__": {"admin": true}, "toString": 1}')], [{}]] },
      );
    });

    test('keeps kind and type, and when the item was stored', async () => {
      await using store = await open();
      const { inbox } = store;
      const beforeMs = Date.now();
      await inbox.append([newItem(1, { kind: 'job', type: 'remind' })]);
      const item = await claimOne(inbox);
      expect(item).toMatchObject({ id: itemId(1, 'job'), kind: 'job', type: 'remind', attempt: 1 });
      expect(item.storedAtMs).toBeGreaterThanOrEqual(beforeMs - 1); // a clock that counts from its start rounds otherwise
      expect(item.storedAtMs).toBeLessThanOrEqual(Date.now() + 1);
    });

    test('rejects with INBOX_FULL, and stores none, when too many items wait; takes more when they do not', async () => {
      await using store = await open({ maxWaiting: 3 });
      const { inbox } = store;
      expect(await inbox.append(newItems(2))).toEqual([true, true]);
      await expect(inbox.append([newItem(3), newItem(4)])).rejects.toMatchObject({ code: 'INBOX_FULL' });
      expect(await inbox.find(itemId(3))).toBeUndefined();
      expect(await inbox.append([newItem(3)])).toEqual([true]);
      await expect(inbox.append([newItem(4)])).rejects.toMatchObject({ code: 'INBOX_FULL' });
      await inbox.settle(await claimOne(inbox));
      expect(await eventually(() => inbox.append([newItem(4)]))).toEqual([true]);
    });
  });

  describe('claim', () => {
    test('hands out the longest due first, up to `max`', async () => {
      await using store = await open();
      const { inbox } = store;
      for (const item of newItems(5)) await inbox.append([item]);
      expect(idsOf(await inbox.claim(2, never))).toEqual([itemId(1), itemId(2)]);
      expect(idsOf(await inbox.claim(1, never))).toEqual([itemId(3)]);
      expect(idsOf(await inbox.claim(10, never))).toEqual([itemId(4), itemId(5)]);
    });

    test('hands out no item sooner than its delay', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1, { delayMs: 150 }), newItem(2, { delayMs: 50 }), newItem(3)]);
      const order: string[] = [];
      for (const delayMs of [0, 50, 150]) {
        const item = await claimOne(inbox);
        expect(Date.now() + 1).toBeGreaterThanOrEqual(item.storedAtMs + delayMs);
        order.push(item.id);
      }
      expect(order).toEqual([itemId(3), itemId(2), itemId(1)]);
    });

    test('waits for an item to be appended, or to become due', async () => {
      await using store = await open();
      const { inbox } = store;
      const claiming = claim(inbox, 2);
      await inbox.append([newItem(1)]);
      await inbox.append([newItem(2, { delayMs: 50 })]);
      expect(idsOf(await claiming)).toEqual([itemId(1), itemId(2)]);
    });

    test('resolves empty when nothing becomes due', async () => {
      await using store = await open({ clock: hastyClock });
      await eventually(() => store.inbox.stats()); // by that clock it had no time to connect
      expect(await within(store.inbox.claim(10, never), 'the end of the wait')).toEqual([]);
    });

    test('resolves empty when its signal aborts, before, at once, or while it waits', async () => {
      await using store = await open();
      const { inbox } = store;
      expect(await inbox.claim(10, AbortSignal.abort())).toEqual([]);
      await expectNothingDue(inbox);
      const leaving = new AbortController();
      const claims = Array.from({ length: 3 }, () => inbox.claim(10, leaving.signal));
      await inbox.append([newItem(1, { delayMs: 60_000 })]); // by now they wait
      leaving.abort();
      expect(await within(Promise.all(claims), 'the end of aborted claims')).toEqual([[], [], []]);
    });

    test('loses no item when its signal aborts while it takes one', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(30));
      const claimed: ClaimedItem[] = [];
      for (let turns = 0; claimed.length < 30; turns = (turns + 1) % 10) {
        const leaving = new AbortController();
        const claiming = inbox.claim(1, leaving.signal);
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        leaving.abort();
        claimed.push(...(await within(claiming, 'an aborted claim')));
      }
      expect(idsOf(claimed)).toEqual(idsOf(newItems(30)));
      expect(new Set(claimed.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    });

    test('hands an item to one worker at a time', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(100));
      const leaving = new AbortController();
      const claimed: ClaimedItem[] = [];
      const worker = async () => {
        while (!leaving.signal.aborted) claimed.push(...(await inbox.claim(7, leaving.signal)));
      };
      const workers = Promise.all(Array.from({ length: 8 }, worker));
      await eventually(() => expect(claimed).toHaveLength(100));
      leaving.abort();
      await within(workers, 'the workers');
      expect(idsOf(claimed).sort()).toEqual(idsOf(newItems(100)));
    });

    test('hands an item that was put back to a worker who holds it until it ends it', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(20));
      const leaving = new AbortController();
      const worker = async () => {
        while (!leaving.signal.aborted) {
          for (const item of await inbox.claim(3, leaving.signal)) {
            const end = item.attempt < 5 ? inbox.retryAt(item, 0, 'HANDLER_FAILED') : inbox.settle(item);
            expect(await end).toBe(true);
          }
        }
      };
      const workers = Promise.all(Array.from({ length: 8 }, worker));
      await eventually(async () => expect(await inbox.stats()).toMatchObject({ waiting: 0, leased: 0, done: 20 }));
      leaving.abort();
      await within(workers, 'the workers');
    });

    test('counts each attempt before it runs', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      expect(await inbox.find(itemId(1))).toMatchObject({ state: 'waiting', attempts: 0 });
      for (const attempt of [1, 2, 3]) {
        const item = await claimOne(inbox);
        expect(item.attempt).toBe(attempt);
        expect(await inbox.find(item.id)).toMatchObject({ state: 'leased', attempts: attempt });
        expect(await inbox.retryAt(item, 0, 'HANDLER_FAILED')).toBe(true);
        expect(await inbox.find(item.id)).toMatchObject({ state: 'waiting', attempts: attempt });
      }
    });
  });

  describe('a lease', () => {
    test('is lost when it is not renewed: another worker gets the item, and the first can end it no more', async () => {
      await using store = await open({ leaseMs: SHORT_LEASE_MS });
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const lost = await claimOne(inbox);
      const held = await claimOne(inbox);
      expect(held).toEqual({ ...lost, attempt: 2 });
      expect(await inbox.renew(lost)).toBe(false);
      expect(await inbox.settle(lost, '"lost"')).toBe(false);
      expect(await inbox.retryAt(lost, 0, 'LOST')).toBe(false);
      expect(await inbox.dead(lost, 'LOST')).toBe(false);
      const { state, result, error } = (await inbox.find(held.id)) ?? {};
      expect({ state, result, error }).not.toMatchObject({ state: expect.stringMatching(/done|dead/) });
      expect(error).toBeUndefined();
    });

    test('is prolonged by renewing it', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const item = await claimOne(inbox);
      const endsAtMs = async () => (await inbox.find(item.id))?.dueAtMs ?? 0;
      const firstEndMs = await endsAtMs();
      expect(firstEndMs).toBeGreaterThan(Date.now());
      await eventually(async () => {
        expect(await inbox.renew(item)).toBe(true);
        expect(await endsAtMs()).toBeGreaterThan(firstEndMs + 5);
      });
      expect(await inbox.settle(item)).toBe(true);
    });

    test('ends with the item: nothing can be done to it twice', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(3));
      const [done, dead, again] = (await claim(inbox, 3)) as [ClaimedItem, ClaimedItem, ClaimedItem];
      expect(await inbox.settle(done)).toBe(true);
      expect(await inbox.dead(dead, 'HANDLER_FAILED')).toBe(true);
      expect(await inbox.retryAt(again, 60_000, 'HANDLER_FAILED')).toBe(true);
      for (const item of [done, dead, again]) {
        expect(await inbox.renew(item)).toBe(false);
        expect(await inbox.settle(item)).toBe(false);
        expect(await inbox.retryAt(item, 0, 'AGAIN')).toBe(false);
        expect(await inbox.dead(item, 'AGAIN')).toBe(false);
      }
      expect(await inbox.find(done.id)).toMatchObject({ state: 'done' });
      expect(await inbox.find(dead.id)).toMatchObject({ state: 'dead', error: 'HANDLER_FAILED' });
      expect(await inbox.find(again.id)).toMatchObject({ state: 'waiting', error: 'HANDLER_FAILED' });
    });

    test('is not had by who claimed nothing', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const { id } = await claimOne(inbox);
      for (const claim of [
        { id: itemId(2), attempt: 1 },
        { id, attempt: 2 },
        { id, attempt: 0 },
      ]) {
        expect(await inbox.renew(claim)).toBe(false);
        expect(await inbox.settle(claim)).toBe(false);
      }
    });
  });

  describe('the end of an attempt', () => {
    test('settle keeps the result, and the payload is gone', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(2));
      const [first, second] = (await claim(inbox, 2)) as [ClaimedItem, ClaimedItem];
      await inbox.settle(first, '{"sent":["wamid"]}');
      await inbox.settle(second);
      const record = await inbox.find(first.id);
      const { storedAtMs } = first;
      const expected = { id: first.id, kind: 'event', type: 'message.text', state: 'done', attempts: 1, storedAtMs };
      expect(record).toMatchObject({ ...expected, result: '{"sent":["wamid"]}', error: undefined });
      expect(record).not.toHaveProperty('payload');
      expect(record?.dueAtMs).toBeGreaterThanOrEqual(storedAtMs);
      expect(await inbox.find(second.id)).toMatchObject({ state: 'done', result: undefined });
    });

    test('retryAt makes the item due again after its delay', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const first = await claimOne(inbox);
      const beforeMs = Date.now();
      await inbox.retryAt(first, 80, 'GRAPH_FAILED');
      const record = await inbox.find(first.id);
      expect(record).toMatchObject({ state: 'waiting', attempts: 1, error: 'GRAPH_FAILED', payload: first.payload });
      expect(record?.dueAtMs).toBeGreaterThanOrEqual(beforeMs + 79);
      await expectNothingDue(inbox);
      expect(await claimOne(inbox)).toEqual({ ...first, attempt: 2 });
      expect(Date.now()).toBeGreaterThanOrEqual(beforeMs + 79);
    });

    test('dead gives the item up, and keeps it', async () => {
      await using store = await open();
      const { inbox } = store;
      await giveUp(inbox, [newItem(1)], 'JOB_UNKNOWN');
      await expectNothingDue(inbox);
      const expected = { state: 'dead', attempts: 1, error: 'JOB_UNKNOWN', result: undefined, payload: { n: 1 } };
      expect(await inbox.find(itemId(1))).toMatchObject(expected);
    });
  });

  describe('the dead', () => {
    test('replay makes one due again under its id, with no attempt counted', async () => {
      await using store = await open();
      const { inbox } = store;
      await giveUp(inbox, newItems(3));
      expect(await inbox.replay(itemId(2))).toBe(1);
      expect(await inbox.find(itemId(2))).toMatchObject({ state: 'waiting', attempts: 0 });
      expect(await claimOne(inbox)).toMatchObject({ ...newItem(2), attempt: 1 });
      expect(await inbox.stats()).toMatchObject({ waiting: 0, leased: 1, dead: 2 });
    });

    test('replay leaves alone what is not dead', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(3));
      const [done] = await claim(inbox, 2);
      await inbox.settle(done as Claim);
      for (const n of [1, 2, 3, 4]) expect(await inbox.replay(itemId(n))).toBe(0);
      expect(await inbox.replay()).toBe(0);
      expect(await inbox.stats()).toMatchObject({ waiting: 1, leased: 1, done: 1, dead: 0 });
    });

    test('purge forgets them, payload and id', async () => {
      await using store = await open();
      const { inbox } = store;
      await giveUp(inbox, newItems(3));
      await inbox.beginEffect(itemId(2), 'send');
      expect(await inbox.purge(itemId(2))).toBe(1);
      expect(await inbox.find(itemId(2))).toBeUndefined();
      expect(await inbox.append(newItems(3))).toEqual([false, true, false]);
      expect(await inbox.beginEffect(itemId(2), 'send')).toEqual({ state: 'new' });
      expect(await claimOne(inbox)).toMatchObject({ ...newItem(2), attempt: 1 });
      expect(await inbox.purge()).toBe(2);
      expect(await inbox.stats()).toMatchObject({ waiting: 0, leased: 1, dead: 0 });
    });

    test('purge leaves alone what is not dead', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append(newItems(3));
      const [done] = await claim(inbox, 2);
      await inbox.settle(done as Claim);
      for (const n of [1, 2, 3, 4]) expect(await inbox.purge(itemId(n))).toBe(0);
      expect(await inbox.purge()).toBe(0);
      expect(await inbox.append(newItems(3))).toEqual([false, false, false]);
    });

    test('both change at most 1,000 a call', async () => {
      await using store = await open();
      const { inbox } = store;
      const die = async () => {
        const claimed = await claim(inbox, 1_001);
        await Promise.all(claimed.map((item) => inbox.dead(item, 'HANDLER_FAILED')));
      };
      await inbox.append(newItems(1_001));
      await die();
      expect([await inbox.replay(), await inbox.replay(), await inbox.replay()]).toEqual([1_000, 1, 0]);
      await die();
      expect([await inbox.purge(), await inbox.purge(), await inbox.purge()]).toEqual([1_000, 1, 0]);
    });
  });

  describe('list, find and stats', () => {
    test('list shows the newest of a state first, without payloads', async () => {
      await using store = await open();
      const { inbox } = store;
      /** Stored, and finished, in another millisecond each: what is stored at once has no order. */
      const oneAfterAnother = async <T>(things: readonly T[], act: (thing: T) => Promise<unknown>) => {
        for (const thing of things) {
          const startedMs = Date.now();
          await act(thing);
          await eventually(() => expect(Date.now()).toBeGreaterThan(startedMs + 1));
        }
      };
      await oneAfterAnother(newItems(12), (item) => inbox.append([item]));
      const claimed = await claim(inbox, 9);
      await oneAfterAnother(claimed.slice(0, 3), (item) => inbox.settle(item, '1'));
      await oneAfterAnother(claimed.slice(3, 6), (item) => inbox.dead(item, 'HANDLER_FAILED'));
      const newest = { done: [3, 2, 1], dead: [6, 5, 4], leased: [9, 8, 7], waiting: [12, 11, 10] };
      for (const state of ITEM_STATES) {
        const all = await inbox.list(state, 1_000);
        expect(idsOf(all)).toEqual(newest[state].map((n) => itemId(n)));
        expect(idsOf(await inbox.list(state, 2))).toEqual(newest[state].slice(0, 2).map((n) => itemId(n)));
        for (const record of all) {
          expect(record).not.toHaveProperty('payload');
          const { payload: _, ...found } = (await inbox.find(record.id)) ?? {};
          expect(found).toMatchObject({ ...record, dueAtMs: expect.closeTo(record.dueAtMs, -3) });
        }
      }
    });

    test('a record tells when a waiting item is due, and when the lease of a leased one ends', async () => {
      await using store = await open({ leaseMs: 60_000 });
      const { inbox } = store;
      await inbox.append([newItem(1), newItem(2, { delayMs: 90_000 })]);
      const { storedAtMs } = await claimOne(inbox);
      const leased = await inbox.find(itemId(1));
      expect(leased?.dueAtMs).toBeGreaterThanOrEqual(storedAtMs + 60_000 - 1);
      expect(leased?.dueAtMs).toBeLessThanOrEqual(Date.now() + 60_000 + 1);
      const waiting = await inbox.find(itemId(2));
      expect(waiting?.dueAtMs).toBe((waiting?.storedAtMs ?? 0) + 90_000);
    });

    test('find knows nothing of an id that was not stored', async () => {
      await using store = await open();
      expect(await store.inbox.find(itemId(1))).toBeUndefined();
      expect(await store.inbox.list('waiting', 10)).toEqual([]);
    });

    test('stats counts the items of each state', async () => {
      await using store = await open();
      const { inbox } = store;
      expect(await inbox.stats()).toEqual({ waiting: 0, leased: 0, done: 0, dead: 0, oldestDueMs: 0 });
      await inbox.append(newItems(10));
      const claimed = await claim(inbox, 6);
      for (const item of claimed.slice(0, 3)) await inbox.settle(item);
      for (const item of claimed.slice(3, 5)) await inbox.dead(item, 'HANDLER_FAILED');
      expect(await inbox.stats()).toMatchObject({ waiting: 4, leased: 1, done: 3, dead: 2 });
    });

    test('stats tells how long the longest due item has waited', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1, { delayMs: 60_000 })]);
      expect((await inbox.stats()).oldestDueMs).toBe(0);
      await inbox.append([newItem(2)]);
      await eventually(async () => expect((await inbox.stats()).oldestDueMs).toBeGreaterThan(30));
      const item = await claimOne(inbox);
      expect((await inbox.stats()).oldestDueMs).toBe(0);
      const retriedAtMs = Date.now();
      await inbox.retryAt(item, 0, 'HANDLER_FAILED'); // it waits anew, however long it waited before
      expect((await inbox.stats()).oldestDueMs).toBeLessThanOrEqual(Date.now() - retriedAtMs + 1);
      await eventually(async () => expect((await inbox.stats()).oldestDueMs).toBeGreaterThan(30));
      await inbox.dead(await claimOne(inbox), 'HANDLER_FAILED');
      const replayedAtMs = Date.now();
      await inbox.replay();
      expect((await inbox.stats()).oldestDueMs).toBeLessThanOrEqual(Date.now() - replayedAtMs + 1);
    });
  });

  describe('effects', () => {
    test('tell what was known before they were begun', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const id = itemId(1);
      expect(await inbox.beginEffect(id, 'send')).toEqual({ state: 'new' });
      expect(await inbox.beginEffect(id, 'send')).toEqual({ state: 'begun' });
      expect(await inbox.beginEffect(id, 'book: 10 o’clock')).toEqual({ state: 'new' });
      await inbox.endEffect(id, 'send', '"wamid"');
      expect(await inbox.beginEffect(id, 'send')).toEqual({ state: 'done', result: '"wamid"' });
      await inbox.endEffect(id, 'book: 10 o’clock', undefined);
      expect(await inbox.beginEffect(id, 'book: 10 o’clock')).toEqual({ state: 'done', result: undefined });
    });

    test('are new to whoever began them and did not hear the answer', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const id = itemId(1);
      expect(await inbox.beginEffect(id, 'send', 'one')).toEqual({ state: 'new' });
      expect(await inbox.beginEffect(id, 'send', 'one')).toEqual({ state: 'new' });
      expect(await inbox.beginEffect(id, 'send', 'another')).toEqual({ state: 'begun' });
      await inbox.endEffect(id, 'send', '1');
      expect(await inbox.beginEffect(id, 'send', 'one')).toEqual({ state: 'done', result: '1' });
    });

    test('may be begun again when they did not happen', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      await inbox.beginEffect(itemId(1), 'send');
      await inbox.undoEffect(itemId(1), 'send');
      expect(await inbox.beginEffect(itemId(1), 'send')).toEqual({ state: 'new' });
    });

    test('are begun by one of many that try at once', async () => {
      await using store = await open();
      const { inbox } = store;
      await inbox.append([newItem(1)]);
      const begun = await Promise.all(Array.from({ length: 20 }, () => inbox.beginEffect(itemId(1), 'send')));
      expect(begun.filter(({ state }) => state === 'new')).toHaveLength(1);
    });

    test('that were begun and not done may be begun again after a replay of their item', async () => {
      await using store = await open();
      const { inbox } = store;
      await giveUp(inbox, newItems(2));
      for (const id of [itemId(1), itemId(2)]) {
        await inbox.beginEffect(id, 'begun');
        await inbox.beginEffect(id, 'done');
        await inbox.endEffect(id, 'done', '1');
      }
      await inbox.replay(itemId(1));
      expect(await inbox.beginEffect(itemId(1), 'begun')).toEqual({ state: 'new' });
      expect(await inbox.beginEffect(itemId(1), 'done')).toEqual({ state: 'done', result: '1' });
      expect(await inbox.beginEffect(itemId(2), 'begun')).toEqual({ state: 'begun' });
    });
  });

  describe.runIf(isDurable)('a new inbox on the same store', () => {
    test('has everything that was acknowledged', async () => {
      const reopen = stores.newStore();
      const first = await reopen();
      await giveUp(first, [newItem(1)]);
      await first.append([newItem(2), newItem(3)]);
      await first.settle(await claimOne(first), '"kept"');
      await first.beginEffect(itemId(3), 'send');
      await first.close();
      await using store = await openStore(reopen);
      const { inbox } = store;
      expect(await inbox.stats()).toMatchObject({ waiting: 1, leased: 0, done: 1, dead: 1 });
      expect(await inbox.find(itemId(2))).toMatchObject({ state: 'done', result: '"kept"' });
      expect(await inbox.append(newItems(4))).toEqual([false, false, false, true]);
      expect(await inbox.beginEffect(itemId(3), 'send')).toEqual({ state: 'begun' });
    });

    test('gets what was leased, its attempt counted', async () => {
      const reopen = stores.newStore();
      const first = await reopen({ leaseMs: SHORT_LEASE_MS });
      await first.append([newItem(1)]);
      const lost = await claimOne(first);
      await first.close();
      await using store = await openStore(reopen, { leaseMs: SHORT_LEASE_MS });
      expect(await claimOne(store.inbox)).toEqual({ ...lost, attempt: 2 });
    });

    test('is used after the end of the other, which answers nobody', async () => {
      const inbox = await stores.newStore()();
      await inbox.close();
      await expect(inbox.append([newItem(1)])).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
      await expect(inbox.claim(1, never)).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
      await expect(inbox.stats()).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
    });
  });
});
