import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AdmissionQueue, type Admitted } from '../../src/crypto/admission-queue.ts';

interface Entry extends Admitted {
  readonly id: number;
  cancelled: boolean;
}

const entry = (id: number, deadlineMs = 1_000): Entry => ({ id, deadlineMs, cancelled: false });

test('takes entries in the order they came, no more than asked for', () => {
  const queue = new AdmissionQueue<Entry>(10, () => {});
  for (const id of [1, 2, 3]) queue.offer(entry(id));
  expect(queue.take(2, 0).map(({ id }) => id)).toEqual([1, 2]);
  expect(queue.take(2, 0).map(({ id }) => id)).toEqual([3]);
  expect(queue.take(2, 0)).toEqual([]);
});

test('refuses an entry at its capacity, and admits again once one is taken', () => {
  const queue = new AdmissionQueue<Entry>(2, () => {});
  expect([1, 2, 3].map((id) => queue.offer(entry(id)))).toEqual([true, true, false]);
  queue.take(1, 0);
  expect(queue.offer(entry(4))).toBe(true);
});

test('drops an entry at its deadline and a cancelled one, telling which', () => {
  const dropped: [number, string][] = [];
  const queue = new AdmissionQueue<Entry>(10, ({ id }, reason) => dropped.push([id, reason]));
  const gone = entry(2);
  for (const each of [entry(1, 50), gone, entry(3, 51)]) queue.offer(each);
  gone.cancelled = true;
  expect(queue.take(5, 50).map(({ id }) => id)).toEqual([3]);
  expect(dropped).toEqual([
    [1, 'expired'],
    [2, 'cancelled'],
  ]);
});

test('every admitted entry is taken or dropped exactly once, in order, whatever happens', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('offer' as const), ttlMs: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ kind: fc.constant('cancel' as const), at: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), fc.integer({ min: 1, max: 150 }), (commands, capacity) => {
      const left: number[] = [];
      const admitted: Entry[] = [];
      const queue = new AdmissionQueue<Entry>(capacity, (dropped) => left.push(dropped.id));
      let nowMs = 0;
      const take = (count: number) => {
        const taken = queue.take(count, nowMs);
        expect(taken.length).toBeLessThanOrEqual(count);
        for (const each of taken) {
          expect(each.cancelled || nowMs >= each.deadlineMs).toBe(false);
          left.push(each.id);
        }
      };
      for (const each of commands) {
        if (each.kind === 'take') take(each.count);
        else if (each.kind === 'wait') nowMs += each.ms;
        else if (each.kind === 'offer') {
          const offered = entry(admitted.length, nowMs + each.ttlMs);
          expect(queue.offer(offered)).toBe(admitted.length - left.length < capacity);
          if (queue.length > admitted.length - left.length) admitted.push(offered);
        } else if (admitted.length > 0) {
          const target = admitted[each.at % admitted.length];
          if (target) target.cancelled = true;
        }
        expect(queue.length).toBe(admitted.length - left.length);
      }
      while (queue.length > 0) take(7);
      // Taken and dropped interleave within one call, but no entry is lost, doubled, or overtaken by a younger taken one.
      expect([...left].sort((a, b) => a - b)).toEqual(admitted.map(({ id }) => id));
    }),
  );
});
