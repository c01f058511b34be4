import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PaceOptions, Turns } from '../../src/graph/turns.ts';
import { flush } from '../support/attempts.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const SECRET = '15550109988';

function setUp(options: PaceOptions = {}) {
  const clock = new FakeClock();
  const waitedMs: number[] = [];
  const turns = new Turns({ ...options, onTurn: (ms) => waitedMs.push(ms) }, clock);
  /** When each message went, by its name. */
  const went: [string, number][] = [];
  const take = (user: string, name = user, { maxWaitMs = 20_000, signal }: TakeOptions = {}) => {
    const taken = turns.take(user, { untilMs: clock.nowMs() + maxWaitMs, signal });
    return taken.then(() => void went.push([name, clock.nowMs()]));
  };
  return { clock, turns, went, take, waitedMs };
}

interface TakeOptions {
  readonly maxWaitMs?: number;
  readonly signal?: AbortSignal;
}

/** Lets the promises follow that wait for no clock: quicker than `flush`. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

/** Lets time pass timer by timer, and after each whatever follows from it. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  await microtasks();
  let leftMs = ms;
  for (let nextMs = clock.nextInMs; nextMs !== undefined && nextMs <= leftMs; nextMs = clock.nextInMs) {
    clock.advance(nextMs);
    leftMs -= nextMs;
    await microtasks();
  }
  clock.advance(leftMs);
}

const names = (went: readonly [string, number][]) => went.map(([name]) => name);

describe('a turn', () => {
  test('comes at once while the number and the user may have more', async () => {
    const { take, turns, clock, waitedMs } = setUp();
    await Promise.all(Array.from({ length: 80 }, (_, i) => take(`user ${i}`)));
    expect(turns.waiting).toBe(0);
    expect(clock.pending).toBe(0);
    expect(waitedMs).toEqual([]);
  });

  test('of the 81st message in a second comes when the first is a second ago', async () => {
    const { take, clock, went, turns, waitedMs } = setUp();
    const all = Array.from({ length: 81 }, (_, i) => take(`user ${i}`));
    await flush();
    expect(went).toHaveLength(80);
    expect(turns.waiting).toBe(1);
    expect(clock.nextInMs).toBe(1_000);
    clock.advance(999);
    await flush();
    expect(went).toHaveLength(80);
    clock.advance(1);
    await Promise.all(all);
    expect(went.at(-1)).toEqual(['user 80', 2_000]);
    expect(waitedMs).toEqual([1_000]);
    expect(clock.pending).toBe(0);
  });

  test('of the 46th message to a user comes after 6 s, and keeps nobody else from going', async () => {
    const { take, clock, went } = setUp();
    const all = Array.from({ length: 46 }, (_, i) => take('a', `a${i}`));
    const other = take('b');
    await flush();
    expect(names(went).slice(-2)).toEqual(['a44', 'b']);
    clock.advance(6_000);
    await Promise.all([...all, other]);
    expect(went.at(-1)).toEqual(['a45', 7_000]);
  });

  test('comes in the order of asking, for the number and for each user', async () => {
    const { take, clock, went } = setUp({ messagesPerSecond: 1 });
    const all = ['a', 'b', 'c', 'a2'].map((name) => take(name.slice(0, 1), name));
    for (let i = 0; i < 3; i++) {
      await flush();
      expect(clock.pending).toBe(1); // for all who wait
      clock.advance(1_000);
    }
    await Promise.all(all);
    expect(went).toEqual([
      ['a', 1_000],
      ['b', 2_000],
      ['c', 3_000],
      ['a2', 4_000],
    ]);
  });

  test('comes to everybody in the end, and never too early: for any arrivals', async () => {
    const arrivals = fc.array(fc.record({ user: fc.constantFrom('a', 'b', 'c'), gapMs: fc.nat(700) }), {
      maxLength: 120,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, async (messages) => {
        const { take, clock, went, turns } = setUp({ messagesPerSecond: 3 });
        const all: Promise<unknown>[] = [];
        for (const { user, gapMs } of messages) {
          await pass(clock, gapMs);
          all.push(take(user, user, { maxWaitMs: 600_000 }));
        }
        await pass(clock, 600_000);
        await Promise.all(all);
        expect(turns.waiting).toBe(0);
        const times = went.map(([, atMs]) => atMs);
        for (const [i, atMs] of times.entries()) {
          expect(times.slice(i).filter((other) => other - atMs < 1_000).length).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a turn that will not come in time', () => {
  test('is refused as soon as that is known, as certainly not sent, with how long it would take', async () => {
    const { take, clock, turns } = setUp();
    await Promise.all(Array.from({ length: 45 }, () => take(SECRET)));
    const failure = await graphFailureOf(take(SECRET, 'late', { maxWaitMs: 5_999 }), SECRET);
    expect(failure).toMatchObject({
      kind: 'unsent',
      isTransient: true,
      isUncertain: false,
      retryAfterMs: 6_000,
      status: undefined,
      message: 'the message was not sent: this user has had as many messages as Meta allows for now',
    });
    expect(turns.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('is refused when others were before it', async () => {
    const { take, clock } = setUp({ messagesPerSecond: 1 });
    const all = ['a', 'b', 'c'].map((user) => take(user, user, { maxWaitMs: 1_500 }));
    const failed = graphFailureOf(all[2] ?? Promise.resolve());
    clock.advance(1_000);
    expect(await failed).toMatchObject({
      kind: 'unsent',
      retryAfterMs: 1_000,
      message: 'the message was not sent: the number has sent as many messages as Meta allows for now',
    });
    await Promise.all(all.slice(0, 2));
    expect(clock.pending).toBe(0);
  });

  test('comes all the same when it comes at the last moment', async () => {
    const { take, clock, went } = setUp({ messagesPerSecond: 1 });
    const all = ['a', 'b'].map((user) => take(user, user, { maxWaitMs: 1_000 }));
    clock.advance(1_000);
    await Promise.all(all);
    expect(names(went)).toEqual(['a', 'b']);
  });
});

describe('the queue', () => {
  test('takes as many as it may, and refuses the next one', async () => {
    const { take, turns, clock } = setUp({ messagesPerSecond: 1, maxWaiting: 2 });
    const all = ['a', 'b', 'c'].map((user) => take(user));
    const failure = await graphFailureOf(take(SECRET), SECRET);
    expect(failure).toMatchObject({ kind: 'unsent', isTransient: true, isUncertain: false });
    expect(failure.message).toBe('the message was not sent: 2 others wait for their turn already');
    expect(turns.waiting).toBe(2);
    clock.advance(2_000);
    await Promise.all(all);
    expect(clock.pending).toBe(0);
  });

  test('of length 0 lets go what may go', async () => {
    const { take } = setUp({ messagesPerSecond: 1, maxWaiting: 0 });
    await take('a');
    await graphFailureOf(take('b'));
  });

  test('forgets who gives up, who was not sent, and lets the next one come', async () => {
    const { take, turns, clock, went } = setUp({ messagesPerSecond: 1 });
    const controller = new AbortController();
    const first = take('a');
    const given = graphFailureOf(take('b', 'b', { signal: controller.signal }));
    const last = take('c');
    controller.abort(new Error('the worker stops'));
    expect(await given).toMatchObject({ kind: 'unsent', isTransient: true, isUncertain: false });
    expect((await given).message).toBe('the message was not sent: its caller gave up before its turn came');
    expect(turns.waiting).toBe(1);
    clock.advance(1_000);
    await Promise.all([first, last]);
    expect(went).toEqual([
      ['a', 1_000],
      ['c', 2_000],
    ]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('takes nobody who gave up before', async () => {
    const { turns, take, clock } = setUp();
    const reason = new Error('the worker stops');
    await expect(take('a', 'a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(turns.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('leaves no listener and no timer behind', async () => {
    const { take, clock } = setUp({ messagesPerSecond: 2 });
    const { signal } = new AbortController();
    const all = ['a', 'b', 'c'].map((user) => take(user, user, { signal }));
    clock.advance(1_000);
    await Promise.all(all);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

test.each([
  [{ messagesPerSecond: 0 }, 'messagesPerSecond must be a whole number from 1 to 1000'],
  [{ messagesPerSecond: 1_001 }, 'messagesPerSecond'],
  [{ messagesPerSecond: 2.5 }, 'messagesPerSecond'],
  [{ maxWaiting: -1 }, 'maxWaiting'],
  [{ maxWaiting: 100_001 }, 'maxWaiting'],
])('refuses %j with a TypeError', (options, named) => {
  expect(() => new Turns(options, new FakeClock())).toThrow(TypeError);
  expect(() => new Turns(options, new FakeClock())).toThrow(named);
});
