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
  queue.take(4, 0);
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

test('that has been full admits an eighth of the limit, until it has been empty', () => {
  const { queue } = setUp();
  const admitted = (count: number) =>
    Array.from({ length: count }, (_, id) => queue.offer(entry(id), 25)).filter(Boolean).length;
  expect(admitted(50)).toBe(40); // x 25 ms = 1 000 ms
  queue.take(35, 0);
  expect(admitted(10), '5 x 25 ms = 125 ms').toBe(0);
  queue.take(2, 0);
  expect(admitted(10)).toBe(2);
  queue.take(4, 0);
  expect(admitted(10), 'one was left').toBe(4);
  queue.take(5, 0);
  expect(admitted(50)).toBe(40);
});

test('a burst just below the limit changes nothing', () => {
  const { queue } = setUp();
  for (let id = 0; id < 39; id++) queue.offer(entry(id), 25);
  queue.take(10, 0);
  expect([queue.isFull(25), queue.isFull(1_000 / 29)]).toEqual([false, true]);
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

test('whatever happens, every admitted entry is taken or dropped exactly once, within the bounds, the oldest first', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), fc.integer({ min: 5, max: 400 }), (commands, serviceMs) => {
      const waiting: Entry[] = [];
      const left: number[] = [];
      let nowMs = 0;
      let admitted = 0;
      let isOverloaded = false;
      const isLong = () =>
        waiting.length * serviceMs >= MAX_WAIT_MS / (isOverloaded ? 8 : 1) || queue.bytes >= limits.maxBytes;
      const leave = (each: Entry) => {
        left.push(each.id);
        waiting.splice(waiting.indexOf(each), 1);
      };
      const queue = new AdmissionQueue<Entry>(limits, (each, reason) => {
        if (reason === 'cancelled') expect(each.cancelled).toBe(true);
        if (reason === 'expired') expect(nowMs).toBeGreaterThanOrEqual(each.deadlineMs);
        leave(each);
      });
      const take = (count: number) => {
        const taken = queue.take(count, nowMs);
        const live = waiting.filter((each) => !each.cancelled && nowMs < each.deadlineMs);
        expect(taken).toEqual(live.slice(0, taken.length));
        expect(taken.length).toBeLessThanOrEqual(count);
        taken.forEach(leave);
        if (waiting.length === 0) isOverloaded = false;
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
          expect(isFull).toBe(isLong());
          expect(queue.offer(offered, serviceMs)).toBe(!isFull);
          if (isFull) continue;
          waiting.push(offered);
          admitted += 1;
          isOverloaded ||= isLong();
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
