import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AdmissionQueue, type Admitted, type DropReason } from '../../src/crypto/admission-queue.ts';

interface Entry extends Admitted {
  readonly id: number;
  cancelled: boolean;
}

const MAX_WAIT_MS = 1_000;
const limits = { maxWaitMs: MAX_WAIT_MS, maxBytes: 10_000 };
const entry = (id: number, enqueuedAtMs = 0, more: Partial<Entry> = {}): Entry => ({
  id,
  enqueuedAtMs,
  deadlineMs: enqueuedAtMs + 8_000,
  bytes: 10,
  cancelled: false,
  ...more,
});

function setUp(more: Partial<typeof limits> = {}) {
  const dropped: [number, DropReason][] = [];
  const queue = new AdmissionQueue<Entry>({ ...limits, ...more }, ({ id }, reason) => dropped.push([id, reason]));
  const offer = (...entries: Entry[]) => entries.map((each) => queue.offer(each, 0.1));
  const take = (count: number, nowMs: number) => queue.take(count, nowMs).map(({ id }) => id);
  return { queue, dropped, offer, take };
}

test('takes entries in the order they came, no more than asked for', () => {
  const { offer, take } = setUp();
  offer(entry(1), entry(2), entry(3));
  expect([take(2, 0), take(2, 0), take(2, 0)]).toEqual([[1, 2], [3], []]);
});

test('refuses an entry once those before it would keep it waiting for the limit', () => {
  const { queue } = setUp();
  const outcomes = [1, 2, 3, 4, 5].map((id) => queue.offer(entry(id), 250)); // 4 x 250 ms = 1 000 ms
  expect(outcomes).toEqual([true, true, true, true, false]);
  expect([queue.isFull(250), queue.isFull(249)]).toEqual([true, false]);
  queue.take(1, 0);
  expect(queue.offer(entry(6), 250)).toBe(true);
});

test('refuses an entry once the bytes are at their limit', () => {
  const { queue, offer } = setUp({ maxBytes: 30 });
  expect(offer(entry(1), entry(2), entry(3), entry(4))).toEqual([true, true, true, false]);
  queue.take(1, 0);
  expect(queue.bytes).toBe(20);
  expect(offer(entry(5))).toEqual([true]);
});

test('drops an entry at its deadline and a cancelled one, telling which', () => {
  const { offer, take, dropped } = setUp();
  const gone = entry(2);
  offer(entry(1, 0, { deadlineMs: 50 }), gone, entry(3, 0, { deadlineMs: 51 }));
  gone.cancelled = true;
  expect(take(5, 50)).toEqual([3]);
  expect(dropped).toEqual([
    [1, 'expired'],
    [2, 'cancelled'],
  ]);
});

test('takes the newest first once the oldest has waited for 3/4 of the limit, for 100 ms on end', () => {
  const { offer, take } = setUp();
  offer(entry(1, 0), entry(2, 0), entry(3, 0), entry(4, 100), entry(5, 100), entry(6, 100));
  expect(take(1, 749)).toEqual([1]);
  expect(take(1, 750)).toEqual([2]); // the 100 ms begin
  expect(take(1, 849)).toEqual([3]);
  offer(entry(7, 849));
  expect(take(2, 850)).toEqual([7, 6]);
});

test('goes back to the oldest first when the backlog is gone', () => {
  const { offer, take } = setUp();
  offer(entry(1, 0), entry(2, 0));
  take(0, 750);
  expect(take(1, 850)).toEqual([2]);
  expect(take(1, 850)).toEqual([1]);
  offer(entry(3, 900), entry(4, 900));
  expect(take(1, 900)).toEqual([3]);
});

test('a burst shorter than 100 ms does not turn the queue around', () => {
  const { offer, take } = setUp();
  offer(entry(1, 0), entry(2, 0), entry(3, 500), entry(4, 500));
  expect(take(2, 760)).toEqual([1, 2]);
  expect(take(1, 1_000)).toEqual([3]); // the oldest had waited 500 ms: the count begins anew
});

test('under a standing backlog drops what has waited for the limit', () => {
  const { offer, take, dropped } = setUp();
  offer(entry(1, 0), entry(2, 0, { cancelled: true }), entry(3, 100), entry(4, 400));
  take(0, 900);
  expect(take(1, 1_000)).toEqual([4]);
  expect(dropped).toEqual([
    [1, 'crowded_out'],
    [2, 'cancelled'],
  ]);
  expect(take(1, 1_000)).toEqual([3]);
});

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      ttlMs: fc.integer({ min: 1, max: 3_000 }),
      bytes: fc.nat(400),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), at: fc.nat() }) },
);

test('whatever happens, every admitted entry is taken or dropped exactly once, within the bounds, in one of the two orders', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), fc.integer({ min: 5, max: 400 }), (commands, serviceMs) => {
      const waiting: Entry[] = [];
      const left: number[] = [];
      let nowMs = 0;
      let admitted = 0;
      const leave = (each: Entry) => {
        left.push(each.id);
        waiting.splice(waiting.indexOf(each), 1);
      };
      const queue = new AdmissionQueue<Entry>(limits, (each, reason) => {
        if (reason === 'cancelled') expect(each.cancelled).toBe(true);
        if (reason === 'expired') expect(nowMs).toBeGreaterThanOrEqual(each.deadlineMs);
        if (reason === 'crowded_out') expect(nowMs - each.enqueuedAtMs).toBeGreaterThanOrEqual(MAX_WAIT_MS);
        leave(each);
      });
      const take = (count: number) => {
        const taken = queue.take(count, nowMs);
        const live = waiting.filter((each) => !each.cancelled && nowMs < each.deadlineMs);
        const oldest = live.slice(0, taken.length);
        const newest = live.slice(live.length - taken.length).reverse();
        expect([oldest, newest]).toContainEqual(taken);
        expect(taken.length).toBeLessThanOrEqual(count);
        taken.forEach(leave);
      };
      for (const each of commands) {
        if (each.kind === 'take') take(each.count);
        else if (each.kind === 'wait') nowMs += each.ms;
        else if (each.kind === 'cancel') {
          const target = waiting[each.at % Math.max(1, waiting.length)];
          if (target) target.cancelled = true;
        } else {
          const offered = entry(admitted, nowMs, { deadlineMs: nowMs + each.ttlMs, bytes: each.bytes });
          const isFull = queue.isFull(serviceMs);
          expect(isFull).toBe(waiting.length * serviceMs >= MAX_WAIT_MS || queue.bytes >= limits.maxBytes);
          expect(queue.offer(offered, serviceMs)).toBe(!isFull);
          if (isFull) continue;
          waiting.push(offered);
          admitted += 1;
        }
        expect(queue.length).toBe(waiting.length);
        expect(queue.bytes).toBe(waiting.reduce((sum, { bytes }) => sum + bytes, 0));
      }
      while (queue.length > 0) take(7);
      expect([...left].sort((a, b) => a - b)).toEqual(Array.from({ length: admitted }, (_, id) => id));
      expect(queue.bytes).toBe(0);
    }),
    { numRuns: 300 },
  );
});
