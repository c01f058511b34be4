import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import type { RenderedAnswer } from '../../src/flows/reply.ts';
import {
  MAX_KEPT_BYTES,
  type Submit,
  SubmitMemory,
  type SubmitReply,
  toWindowMs,
} from '../../src/flows/submit-memory.ts';
import { deferred, flush } from '../support/attempts.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryState } from '../support/memory-state.ts';
import { HookedState } from '../support/state-hooks.ts';

const DEADLINE_MS = 8_000;
const WINDOW_MS = 600_000;
/** The lease of a claim that nobody renews. */
const LEASE_MS = DEADLINE_MS + 3_000;
/** A handler that has not ended by then is given up. */
const GIVEN_UP_MS = 60_000;

let clock: FakeClock;
let memory: MemoryState;

beforeEach(() => {
  clock = new FakeClock();
  memory = new MemoryState(clock);
});

const submit: Submit = {
  flow: 'booking',
  token: 'token-1',
  screen: 'CONFIRM',
  data: { slot: '10:00', guest: { name: 'Ada', n: 2 } },
};

function answer(text: string, kind: RenderedAnswer['kind'] = 'screen'): RenderedAnswer {
  return { status: kind === 'expire' ? 427 : 200, text, kind };
}

/** One process with its memory, over the store that all share. */
function newProcess() {
  const state = new HookedState(memory);
  const submits = new SubmitMemory({ state, clock, flowDeadlineMs: DEADLINE_MS });
  const close = () => submits.close();
  const send = (run: () => Promise<RenderedAnswer>, what: Partial<Submit> = {}, windowMs = WINDOW_MS) => {
    const controller = new AbortController();
    clock.after(DEADLINE_MS, () => controller.abort());
    return submits.once({ ...submit, ...what }, windowMs, controller, run);
  };
  return { state, send, close };
}

/** Lets time pass in steps small enough for every poll, and after each whatever follows from it. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    clock.advance(Math.min(left, 100));
    await flush();
  }
}

/** A promise of which a test only asks whether it has settled, and how. */
function watch(reply: Promise<SubmitReply>) {
  const seen: { text?: string; code?: string; reason?: unknown } = {};
  reply.then(
    ({ text }) => void Object.assign(seen, { text }),
    (reason: unknown) =>
      void Object.assign(seen, { reason, code: reason instanceof FlowgateError ? reason.code : 'other' }),
  );
  return seen;
}

const never = () => new Promise<RenderedAnswer>(() => {});
const unused = vi.fn(async () => answer('must not run'));

describe('the same submit', () => {
  test('runs once, and gets its answer again, from this process and from another', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const run = vi.fn(async () => answer('booked', 'complete'));
    expect(await one.send(run)).toEqual({ status: 200, text: 'booked', kind: 'complete', repeated: false });
    for (const { send } of [one, other]) {
      expect(await send(run)).toEqual({ status: 200, text: 'booked', kind: 'complete', repeated: true });
    }
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('is the same whatever the order of its keys', async () => {
    const { send } = newProcess();
    await send(async () => answer('booked'));
    const again = await send(unused, { data: { guest: { n: 2, name: 'Ada' }, slot: '10:00' } });
    expect(again.text).toBe('booked');
  });

  test.each<[string, Partial<Submit>]>([
    ['token', { token: 'token-2' }],
    ['Flow', { flow: 'survey' }],
    ['screen', { screen: 'OTHER' }],
    ['no screen', { screen: undefined }],
    ['value', { data: { slot: '10:00', guest: { name: 'Ada', n: 3 } } }],
    ['type', { data: { slot: '10:00', guest: { name: 'Ada', n: '2' } } }],
    ['key more', { data: { ...submit.data, a: null } }],
    ['list for an object', { data: { slot: '10:00', guest: ['Ada', 2] } }],
  ])('another %s is another submit', async (_, what) => {
    const { send } = newProcess();
    await send(async () => answer('first'));
    expect(await send(async () => answer('second'), what)).toMatchObject({ text: 'second', repeated: false });
  });

  test('the order of a list counts', async () => {
    const { send } = newProcess();
    await send(async () => answer('first'), { data: { picks: ['a', 'b'] } });
    expect((await send(async () => answer('second'), { data: { picks: ['b', 'a'] } })).text).toBe('second');
  });

  test('keys that reach a prototype tell submits apart, too', async () => {
    const { send } = newProcess();
    await send(async () => answer('first'), { data: JSON.parse('{"__proto__":{"a":1}}') });
    const other = await send(async () => answer('second'), { data: JSON.parse('{"__proto__":{"a":2}}') });
    expect(other.text).toBe('second');
  });

  test.each([undefined, 'unused'])('with token %s runs every time, and asks no store', async (token) => {
    const { send, state } = newProcess();
    const run = vi.fn(async () => answer('booked'));
    for (let i = 0; i < 2; i++) expect(await send(run, { token })).toMatchObject({ repeated: false });
    expect(run).toHaveBeenCalledTimes(2);
    expect(state.calls).toEqual([]);
  });

  test('is forgotten when its window is over, which began with the answer', async () => {
    const { send } = newProcess();
    const run = vi.fn(async () => answer('booked'));
    await send(run, {}, 1_000);
    clock.advance(999);
    expect((await send(run, {}, 1_000)).repeated).toBe(true);
    clock.advance(1);
    expect((await send(run, {}, 1_000)).repeated).toBe(false);
  });

  test('a first submit costs two writes, a repeated one a write that fails and a read', async () => {
    const { send, state } = newProcess();
    await send(async () => answer('booked'));
    expect(state.calls).toEqual(['put', 'put']);
    await send(unused);
    expect(state.calls).toEqual(['put', 'put', 'put', 'get']);
  });

  test('the store learns neither token nor payload from the key', async () => {
    await newProcess().send(async () => answer('booked'));
    expect(memory.keys).toEqual([expect.stringMatching(/^submit:[A-Za-z0-9_-]{43}$/)]);
  });

  test('an answer that says the token is dead is repeated as 427', async () => {
    const { send } = newProcess();
    for (let i = 0; i < 2; i++) {
      expect(await send(async () => answer('{"error_msg":"x"}', 'expire'))).toMatchObject({ status: 427 });
    }
  });

  test('any text comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.uuid(), async (text, token) => {
        const { send } = newProcess();
        await send(async () => answer(text), { token });
        expect(await send(unused, { token })).toMatchObject({ text, repeated: true });
      }),
    );
  });
});

describe('twins in one process', () => {
  test('share one run, and ask the store once', async () => {
    const { send, state } = newProcess();
    const { promise, resolve } = deferred<RenderedAnswer>();
    const run = vi.fn(() => promise);
    const replies = Promise.all(Array.from({ length: 50 }, () => send(run)));
    await flush();
    resolve(answer('booked'));
    expect((await replies).map(({ text, repeated }) => [text, repeated])).toEqual(
      Array.from({ length: 50 }, (_, i) => ['booked', i > 0]),
    );
    expect(run).toHaveBeenCalledTimes(1);
    expect(state.calls).toEqual(['put', 'put']);
  });

  test('run their own when the first one fails, one after the other', async () => {
    const { send } = newProcess();
    let running = 0;
    let most = 0;
    const run = (i: number) => async () => {
      most = Math.max(most, ++running);
      await flush();
      running -= 1;
      if (i < 2) throw new Error(`run ${i} failed`);
      return answer(`run ${i}`);
    };
    const replies = await Promise.allSettled([0, 1, 2, 3].map((i) => send(run(i))));
    expect(replies).toMatchObject([
      { status: 'rejected', reason: { message: 'run 0 failed' } },
      { status: 'rejected', reason: { message: 'run 1 failed' } },
      { value: { text: 'run 2', repeated: false } },
      { value: { text: 'run 2', repeated: true } },
    ]);
    expect(most).toBe(1);
  });

  test('one whose own deadline is over does not run when the first one fails', async () => {
    const { send } = newProcess();
    const { promise, reject } = deferred<RenderedAnswer>();
    send(() => promise).catch(() => {});
    const twin = watch(send(unused));
    await pass(DEADLINE_MS);
    reject(new Error('late and failed'));
    await flush();
    expect(twin).toMatchObject({ code: 'HANDLER_LATE' });
    expect(unused).not.toHaveBeenCalled();
  });

  test('all fail, each without asking again, when the store is away', async () => {
    const { send, state } = newProcess();
    memory.failure = 'away';
    const replies = await Promise.allSettled(Array.from({ length: 20 }, () => send(unused)));
    for (const reply of replies) expect(reply).toMatchObject({ reason: { code: 'STATE_UNAVAILABLE' } });
    expect(state.calls.filter((call) => call === 'put')).toHaveLength(1);
  });
});

describe('twins in two processes', () => {
  test('one runs, the other waits for its answer', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const { promise, resolve } = deferred<RenderedAnswer>();
    const firstReply = watch(one.send(() => promise));
    const twin = watch(other.send(unused));
    await pass(3_000);
    expect([firstReply, twin]).toEqual([{}, {}]);
    resolve(answer('booked'));
    await pass(300);
    expect([firstReply, twin]).toEqual([{ text: 'booked' }, { text: 'booked' }]);
  });

  test('the one that waits asks with growing pauses, some forty times in eight seconds', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    const askedAtMs: number[] = [];
    other.state.before = (call) => call === 'get' && askedAtMs.push(clock.nowMs());
    watch(other.send(unused));
    await flush();
    for (let i = 0; i < DEADLINE_MS; i += 5) {
      clock.advance(5);
      await flush();
    }
    const pausesMs = askedAtMs.slice(1).map((atMs, i) => atMs - (askedAtMs[i] ?? 0));
    expect(pausesMs.slice(0, 5)).toEqual([20, 40, 80, 160, 250]);
    expect(askedAtMs.length).toBeLessThan(45);
  });

  test('the one that waits gives up at its own deadline, and leaves nothing behind', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    await pass(1_000);
    const twin = watch(other.send(unused));
    await pass(DEADLINE_MS - 100);
    expect(twin).toEqual({});
    await pass(100);
    expect(twin).toMatchObject({ code: 'HANDLER_LATE' });
  });

  test('the one that waits stops when its client leaves', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    await flush();
    const submits = new SubmitMemory({ state: other.state, clock, flowDeadlineMs: DEADLINE_MS });
    const leaving = new AbortController();
    const twin = watch(submits.once(submit, WINDOW_MS, leaving, unused));
    await flush();
    leaving.abort();
    await flush();
    expect(twin).toMatchObject({ code: 'HANDLER_LATE' });
  });

  test.each<[string, () => Promise<RenderedAnswer>]>([
    ['throws', () => Promise.reject(new Error('broken'))],
    [
      'throws before its first await',
      () => {
        throw new Error('broken');
      },
    ],
    ['answers with c.error', async () => answer('wrong slot', 'error')],
  ])('the one that waits runs its own when the first %s', async (_, fail) => {
    const [one, other] = [newProcess(), newProcess()];
    const { promise, resolve } = deferred();
    watch(one.send(() => promise.then(fail)));
    const twin = watch(other.send(async () => answer('second')));
    await pass(500);
    expect(twin).toEqual({});
    resolve(undefined);
    await pass(500);
    expect(twin).toEqual({ text: 'second' });
  });

  test('a claim whose process died is taken over when its lease is over', async () => {
    const [dying, other] = [newProcess(), newProcess()];
    watch(dying.send(never));
    await flush();
    dying.state.before = never; // from now on nothing of it reaches the store
    await pass(LEASE_MS - 1_000);
    const retry = watch(other.send(async () => answer('second')));
    await pass(900);
    expect(retry).toEqual({});
    await pass(400);
    expect(retry).toEqual({ text: 'second' });
  });
});

describe('what is not kept', () => {
  test('c.error: the next submit runs again', async () => {
    const { send } = newProcess();
    expect(await send(async () => answer('taken', 'error'))).toMatchObject({ text: 'taken' });
    expect(memory.keys).toEqual([]);
    expect(await send(async () => answer('booked'))).toMatchObject({ text: 'booked', repeated: false });
  });

  test('a failure: it comes through as it is, and the next submit runs again', async () => {
    const { send } = newProcess();
    const mine = new Error('mine');
    await expect(send(() => Promise.reject(mine))).rejects.toBe(mine);
    expect(memory.keys).toEqual([]);
    expect(await send(async () => answer('booked'))).toMatchObject({ text: 'booked', repeated: false });
  });

  test('a failure comes through as it is when its claim cannot be released, too', async () => {
    const { send } = newProcess();
    const mine = new Error('mine');
    const reply = send(() => {
      memory.failure = 'away';
      return Promise.reject(mine);
    });
    await expect(reply).rejects.toBe(mine);
  });

  test('more than 1 MB: it is answered once, and asked again it fails without running', async () => {
    const { send } = newProcess();
    for (const [bytes, token] of [
      [MAX_KEPT_BYTES, 'fits'],
      [MAX_KEPT_BYTES + 1, 'does not'],
    ] as const) {
      const text = 'ä'.repeat(Math.floor(bytes / 2)) + 'x'.repeat(bytes % 2);
      expect(await send(async () => answer(text), { token })).toMatchObject({ text });
      if (token === 'fits') expect((await send(unused, { token })).text).toBe(text);
      else await expect(send(unused, { token })).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
    }
    expect(unused).not.toHaveBeenCalled();
  });
});

describe('a handler that is late', () => {
  test('still records its answer, which the retry gets', async () => {
    const { send } = newProcess();
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(send(() => promise));
    await pass(DEADLINE_MS + 500);
    resolve(answer('late, and booked'));
    await flush();
    for (const process of [{ send }, newProcess()]) expect((await process.send(unused)).text).toBe('late, and booked');
  });

  test('is not run beside itself: its claim is renewed for a minute', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(one.send(() => promise));
    for (let i = 0; i < 4; i++) {
      const [sameProcess, otherProcess] = [watch(one.send(unused)), watch(other.send(unused))];
      await pass(DEADLINE_MS + 100);
      expect(otherProcess).toMatchObject({ code: 'HANDLER_LATE' });
      expect(sameProcess).toEqual({}); // the dispatcher has given up on it
    }
    resolve(answer('very late'));
    await flush();
    expect((await other.send(unused)).text).toBe('very late');
  });

  test('that is still not done after a minute is given up: the next submit runs', async () => {
    const { send } = newProcess();
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(send(() => promise));
    await pass(GIVEN_UP_MS);
    expect(memory.keys).toEqual([]);
    const run = vi.fn(async () => answer('second'));
    expect(await send(run)).toMatchObject({ text: 'second', repeated: false });
    resolve(answer('first after all'));
    await flush();
    expect((await send(unused)).text).toBe('second');
  });

  test('and given up, then done, does not part the one that runs now from its twins', async () => {
    const { send, state } = newProcess();
    const [first, second] = [deferred<RenderedAnswer>(), deferred<RenderedAnswer>()];
    watch(send(() => first.promise));
    await pass(GIVEN_UP_MS);
    watch(send(() => second.promise));
    await flush();
    first.resolve(answer('first after all'));
    await flush();
    state.calls.length = 0;
    const twin = watch(send(unused));
    await flush();
    expect(state.calls).toEqual([]);
    second.resolve(answer('second'));
    await flush();
    expect(twin).toEqual({ text: 'second' });
  });

  test('and given up, and alone: its answer is kept all the same', async () => {
    const { send } = newProcess();
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(send(() => promise));
    await pass(GIVEN_UP_MS + LEASE_MS);
    resolve(answer('at last'));
    await flush();
    expect((await send(unused)).text).toBe('at last');
  });

  test('and given up, then failing, does not take the claim of the one that runs now', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const first = deferred<RenderedAnswer>();
    watch(one.send(() => first.promise));
    await pass(GIVEN_UP_MS);
    const second = deferred<RenderedAnswer>();
    const reply = watch(other.send(() => second.promise));
    await flush();
    first.reject(new Error('late'));
    await flush();
    const twin = watch(one.send(unused));
    await pass(500);
    second.resolve(answer('second'));
    await pass(300);
    expect([reply, twin]).toEqual([{ text: 'second' }, { text: 'second' }]);
  });

  test.each(['before', 'after'] as const)(
    'that fails while its claim is renewed, %s the store did it, leaves nothing',
    async (when) => {
      const { send, state } = newProcess();
      const [handler, renewal] = [deferred<RenderedAnswer>(), deferred()];
      const reply = watch(send(() => handler.promise));
      await flush();
      state[when] = (call) => call === 'put' && renewal.promise;
      await pass(LEASE_MS - 1_900);
      expect(state.calls).toEqual(['put', 'put']);
      handler.reject(new Error('failed'));
      await flush();
      expect(reply).toMatchObject({ code: 'other' });
      renewal.resolve(undefined);
      await pass(1_000);
      expect(memory.keys).toEqual([]);
      expect(clock.pending).toBe(0);
    },
  );

  test('no timer is left when all is done', async () => {
    const { send } = newProcess();
    await send(async () => answer('booked'));
    await send(() => Promise.reject(new Error('x')), { token: 'token-2' }).catch(() => {});
    clock.advance(DEADLINE_MS); // those of this test's own signals
    expect(clock.pending).toBe(0);
  });
});

describe('the store goes away', () => {
  test('before: the submit fails with STATE_UNAVAILABLE, and nothing runs', async () => {
    const { send } = newProcess();
    memory.failure = 'away';
    await expect(send(unused)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    memory.failure = undefined;
    expect(await send(async () => answer('booked'))).toMatchObject({ repeated: false });
  });

  test('and takes the claim in without telling: the retry is not kept waiting by it', async () => {
    const { send, state } = newProcess();
    state.after = () => {
      state.after = () => {};
      throw new FlowgateError('STATE_UNAVAILABLE', 'no answer');
    };
    await expect(send(unused)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await flush();
    expect(await newProcess().send(async () => answer('booked'))).toMatchObject({ text: 'booked', repeated: false });
  });

  test('while the handler runs: the user is answered, the answer is kept once the store is back', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const reply = one.send(async () => {
      memory.failure = 'away';
      return answer('booked');
    });
    expect(await reply).toMatchObject({ text: 'booked', repeated: false });
    expect(await one.send(unused)).toMatchObject({ text: 'booked', repeated: true });
    await pass(5_000);
    memory.failure = undefined;
    await pass(600);
    expect((await other.send(unused)).text).toBe('booked');
    expect(await one.send(unused)).toMatchObject({ text: 'booked', repeated: true });
  });

  test('for good: this process remembers the answer for a minute, and then gives up', async () => {
    const { send } = newProcess();
    await send(async () => {
      memory.failure = 'away';
      return answer('booked');
    });
    await pass(GIVEN_UP_MS - 1_000);
    expect((await send(unused)).text).toBe('booked');
    await pass(2_000);
    await expect(send(unused)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await pass(DEADLINE_MS);
    expect(clock.pending).toBe(0);
  });

  test('when a claim is to be renewed: it is tried again until the lease is over', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    await pass(LEASE_MS - 2_100);
    memory.failure = 'away';
    await pass(1_400);
    memory.failure = undefined;
    await pass(5_000);
    const twin = watch(other.send(unused));
    await pass(DEADLINE_MS);
    expect(twin).toMatchObject({ code: 'HANDLER_LATE' });
  });

  test('and renews a claim without telling: it is still known as ours', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(one.send(() => promise));
    await flush();
    one.state.after = () => {
      throw new FlowgateError('STATE_UNAVAILABLE', 'no answer');
    };
    await pass(LEASE_MS - 1_700);
    one.state.after = () => {};
    await pass(LEASE_MS);
    const twin = watch(other.send(unused));
    await pass(500);
    resolve(answer('booked'));
    await pass(300);
    expect(twin).toEqual({ text: 'booked' });
  });

  test('while another process waits: it fails with STATE_UNAVAILABLE', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    const twin = watch(other.send(unused));
    await pass(100);
    memory.failure = 'away';
    await pass(300);
    expect(twin).toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });
});

describe('toWindowMs', () => {
  test.each([
    ['1s', 1_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
  ] as const)('takes %s', (once, ms) => {
    expect(toWindowMs(once)).toBe(ms);
  });

  test.each(['999ms', '61m', '0s', 'soon'])('throws a TypeError for %s', (once) => {
    expect(() => toWindowMs(once as never)).toThrow(TypeError);
  });
});

describe('under any interleaving of requests, processes and slow calls to the store', () => {
  type How = 'answers' | 'throws' | 'refuses';
  interface Sent {
    readonly process: number;
    readonly n: number;
    readonly how: How;
    readonly runsMs: number;
    readonly afterMs: number;
  }
  const sent: fc.Arbitrary<Sent> = fc.record({
    process: fc.nat(2),
    n: fc.nat(1),
    how: fc.constantFrom<How>('answers', 'answers', 'throws', 'refuses'),
    runsMs: fc.constantFrom(0, 10, 500, 5_000, 7_900, 12_000, 30_000),
    afterMs: fc.constantFrom(0, 0, 1, 30, 400, 4_000, 13_000),
  });
  const storeMs = fc.infiniteStream(fc.constantFrom(0, 0, 1, 5, 60, 200));

  test('no two runs of a submit overlap, none begins after a good one, and every answer is one that a run gave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 2, maxLength: 8 }), storeMs, async (requests, delays) => {
        clock = new FakeClock();
        memory = new MemoryState(clock);
        const processes = [newProcess(), newProcess(), newProcess()];
        const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
        for (const { state } of processes) {
          state.before = () => wait(delays.next().value ?? 0);
          state.after = () => wait(delays.next().value ?? 0);
        }
        const running = new Set<number>();
        const good = new Map<number, string>();
        let runs = 0;
        const run =
          ({ n, how, runsMs }: Sent) =>
          async () => {
            expect(running.has(n)).toBe(false);
            expect(good.has(n)).toBe(false);
            running.add(n);
            runs += 1;
            const text = `run ${runs} of ${n}`;
            await wait(runsMs);
            running.delete(n);
            if (how === 'throws') throw new Error('the handler failed');
            if (how === 'answers') good.set(n, text);
            return answer(text, how === 'answers' ? 'screen' : 'error');
          };
        const replies: { n: number; text?: string; error?: unknown }[] = [];
        const expectations: unknown[] = [];
        for (const request of requests) {
          const { process, n, afterMs } = request;
          processes[process]?.send(run(request), { data: { n } }).then(
            ({ text }) => replies.push({ n, text }),
            (error: unknown) => {
              if (error instanceof FlowgateError || (error as Error).message === 'the handler failed')
                replies.push({ n, error });
              else expectations.push(error);
            },
          );
          await pass(afterMs);
        }
        await pass(45_000);
        if (expectations.length > 0) throw expectations[0];
        expect(replies).toHaveLength(requests.length);
        for (const { n, text, error } of replies) {
          if (text !== undefined) expect(text).toMatch(new RegExp(` of ${n}$`));
          if (error instanceof FlowgateError) expect(error.code).toBe('HANDLER_LATE');
        }
        for (const [n, text] of good)
          expect((await settle(processes[0]?.send(unused, { data: { n } }))).text).toBe(text);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  /** Lets time pass until `reply` is there. */
  async function settle(reply: Promise<SubmitReply> | undefined): Promise<Partial<SubmitReply>> {
    const seen = reply ? watch(reply) : {};
    await pass(3_000);
    return seen;
  }
});

describe('closing', () => {
  test('leaves no timer for a handler that never ends, and its claim to run out', async () => {
    const [one, other] = [newProcess(), newProcess()];
    watch(one.send(never));
    await pass(DEADLINE_MS); // those of this test's own signals
    expect(clock.pending).toBeGreaterThan(0);
    one.close();
    expect(clock.pending).toBe(0);
    await pass(LEASE_MS);
    expect(await other.send(async () => answer('booked'))).toMatchObject({ text: 'booked', repeated: false });
  });

  test('gives up telling a store that is away of an answer', async () => {
    const { send, close } = newProcess();
    await send(async () => {
      memory.failure = 'away';
      return answer('booked');
    });
    await pass(DEADLINE_MS);
    expect(clock.pending).toBe(1);
    close();
    expect(clock.pending).toBe(0);
  });

  test('still takes the answer that comes at the last moment', async () => {
    const [one, other] = [newProcess(), newProcess()];
    const { promise, resolve } = deferred<RenderedAnswer>();
    watch(one.send(() => promise));
    await flush();
    one.close();
    resolve(answer('booked'));
    await flush();
    expect((await other.send(unused)).text).toBe('booked');
  });
});
