import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from '../../src/media/slots.ts';

const never = new AbortController().signal;

/** What has happened once every promise that can settle has. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('as many as there are slots go at once, the others in the order they came', async () => {
  const slots = new Slots(2, 10);
  const order: string[] = [];
  const take = async (name: string) => {
    const giveBack = await slots.take(never);
    order.push(name);
    return giveBack;
  };
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(take);
  await settled();
  expect(order).toEqual(['a', 'b']);
  (await b)?.();
  await settled();
  expect(order).toEqual(['a', 'b', 'c']);
  (await a)?.();
  (await c)?.();
  await d;
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('one more than may wait is MEDIA_UNAVAILABLE, at once and for the moment', async () => {
  const slots = new Slots(1, 2);
  const giveBack = await slots.take(never);
  const waiting = [slots.take(never), slots.take(never)];
  await expect(slots.take(never)).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE', isTransient: true });
  giveBack();
  await waiting[0];
  const another = slots.take(never);
  await settled();
  expect(slots.waiting).toBe(2);
  (await waiting[0])?.();
  (await waiting[1])?.();
  await another;
});

test('a slot given back twice is one slot', async () => {
  const slots = new Slots(1, 10);
  const giveBack = await slots.take(never);
  giveBack();
  giveBack();
  await slots.take(never);
  void slots.take(never);
  await settled();
  expect(slots.waiting).toBe(1);
});

test('who is aborted leaves the line with the reason, and takes no slot along', async () => {
  const slots = new Slots(1, 10);
  const giveBack = await slots.take(never);
  const controller = new AbortController();
  const leaving = slots.take(controller.signal);
  const staying = slots.take(never);
  const reason = new Error('the handler is late');
  controller.abort(reason);
  await expect(leaving).rejects.toBe(reason);
  await expect(slots.take(controller.signal)).rejects.toBe(reason);
  giveBack();
  (await staying)();
  (await slots.take(never))();
  expect(slots.waiting).toBe(0);
});

test('however slots are taken, given back and waited for in vain, never more are out than there are, and none is lost', async () => {
  const step = fc.record({ kind: fc.constantFrom('take', 'giveBack', 'abort'), at: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), async (count, steps) => {
      const slots = new Slots(count, 5);
      const taken: (() => void)[] = [];
      const controllers: AbortController[] = [];
      for (const { kind, at } of steps) {
        if (kind === 'take') {
          const controller = new AbortController();
          controllers.push(controller);
          slots.take(controller.signal).then(
            (giveBack) => taken.push(giveBack),
            () => {},
          );
        } else if (kind === 'abort') controllers[at]?.abort();
        else for (const giveBack of taken.splice(at % count, 1)) giveBack();
        await settled();
        expect(taken.length).toBeLessThanOrEqual(count);
      }
      for (let waits = slots.waiting + count; waits >= 0; waits--) {
        taken.shift()?.();
        await settled();
      }
      for (const giveBack of taken.splice(0)) giveBack();
      for (let i = 0; i < count; i++) await slots.take(never);
      expect(slots.waiting).toBe(0);
    }),
  );
});
