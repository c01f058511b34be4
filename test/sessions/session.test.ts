import vm from 'node:vm';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { FlowgateError } from '../../src/errors.ts';
import { createSession, type Session, type SessionInput } from '../../src/sessions/session.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryState } from '../support/memory-state.ts';
import { HookedState } from '../support/state-hooks.ts';

const TTL_MS = 60_000;
const KIB_64 = 64 * 1024;
const secret = '555-0100-canary';
const cart = z.object({ items: z.array(z.string()), guests: z.number().default(2) });

let clock: FakeClock;
let memory: MemoryState;
let state: HookedState;

beforeEach(() => {
  clock = new FakeClock();
  memory = new MemoryState(clock);
  state = new HookedState(memory);
});

function open<T>(schema: StandardSchemaV1<unknown, T>, input: Partial<SessionInput<T>> = {}): Session<T> {
  const request = { signal: new AbortController().signal };
  return createSession({ state, flow: 'booking', token: 'token-1', schema, ttlMs: TTL_MS, request, ...input });
}

const anything = () => open(z.any());

async function errorOf(call: Promise<unknown>): Promise<FlowgateError> {
  const error: unknown = await call.then(
    () => 'resolved',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FlowgateError)) throw new Error(`no FlowgateError: ${String(error)}`);
  expect(error.message).not.toContain(secret);
  expect(error.message).not.toContain('token-1');
  return error;
}

test('is nothing until it is set, and nothing again once it is deleted', async () => {
  const session = open(cart);
  expect(await session.get()).toBeUndefined();
  await session.set({ items: ['a'], guests: 4 });
  expect(await session.get()).toEqual({ items: ['a'], guests: 4 });
  await session.delete();
  expect(await session.get()).toBeUndefined();
  await session.delete();
});

test('belongs to one token of one Flow', async () => {
  await open(cart).set({ items: ['mine'], guests: 1 });
  expect(await open(cart, { token: 'token-2' }).get()).toBeUndefined();
  expect(await open(cart, { flow: 'survey' }).get()).toBeUndefined();
  expect(await open(cart).get()).toEqual({ items: ['mine'], guests: 1 });
});

test.each<[Partial<SessionInput<unknown>>, Partial<SessionInput<unknown>>]>([
  [
    { flow: 'a', token: 'ab' },
    { flow: 'aa', token: 'b' },
  ],
  [{ token: '\ud800' }, { token: '\udfff' }],
  [{ token: '\ud800' }, { token: '\ufffd' }],
  [{ token: 'a' }, { token: 'a\0' }],
  [{ token: 'unused ' }, { token: 'Unused' }],
])('%j and %j share no session', async (one, other) => {
  await open<unknown>(z.any(), one).set('one');
  expect(await open<unknown>(z.any(), other).get()).toBeUndefined();
});

test('the key in the store tells neither the token nor the Flow', async () => {
  await anything().set(1);
  expect(memory.keys).toEqual([expect.stringMatching(/^session:[A-Za-z0-9_-]{43}$/)]);
});

test('expires its time after the last write, not after the first, and a read does not count', async () => {
  const session = anything();
  await session.set(1);
  clock.advance(TTL_MS - 1);
  await session.update(() => 2);
  clock.advance(TTL_MS - 1);
  expect(await session.get()).toBe(2);
  clock.advance(1);
  expect(await session.get()).toBeUndefined();
});

test.each([undefined, 'unused'])(
  'token %s: every call rejects with SESSION_INVALID, and asks no store',
  async (token) => {
    const session = open(z.any(), { token });
    for (const call of [session.get(), session.set(1), session.update(() => 1), session.delete()]) {
      const { code, message } = await errorOf(call);
      expect(code).toBe('SESSION_INVALID');
      expect(message).toContain('flow_token');
    }
    expect(state.calls).toEqual([]);
  },
);

test('every call passes STATE_UNAVAILABLE on', async () => {
  memory.failure = 'the store is away';
  const session = anything();
  for (const call of [session.get(), session.set(1), session.update(() => 1), session.delete()]) {
    expect((await errorOf(call)).code).toBe('STATE_UNAVAILABLE');
  }
});

describe('the schema', () => {
  test('what it puts out is kept: defaults are there, undeclared keys are not', async () => {
    const session = open<{ items: string[]; guests?: number }>(cart);
    await session.set({ items: [], extra: secret } as never);
    expect(await anything().get()).toEqual({ items: [], guests: 2 });
  });

  test('may be asynchronous', async () => {
    const session = open(z.object({ a: z.string().refine(async (text) => text !== 'taken') }));
    await session.set({ a: 'free' });
    expect((await errorOf(session.set({ a: 'taken' }))).code).toBe('SESSION_INVALID');
    expect(await session.get()).toEqual({ a: 'free' });
  });

  test('what does not fit is not kept, by set and by update, and is told without being quoted', async () => {
    const session = open(z.object({ a: z.literal('x', { error: (issue) => `got ${String(issue.input)}` }) }));
    await session.set({ a: 'x' });
    for (const call of [session.set({ a: secret as 'x' }), session.update(() => ({ a: secret as 'x' }))]) {
      const error = await errorOf(call);
      expect(error.code).toBe('SESSION_INVALID');
      expect(error.cause).toMatchObject({ message: `got ${secret}` });
    }
    expect(await session.get()).toEqual({ a: 'x' });
  });

  test('what was kept and does not fit any more is SESSION_INVALID for get and update; set and delete mend it', async () => {
    const session = open(cart);
    for (const mend of [() => session.delete(), () => session.set({ items: [], guests: 2 })]) {
      await anything().set({ items: secret });
      const error = await errorOf(session.get());
      expect(error.code).toBe('SESSION_INVALID');
      expect(error.message).toContain('delete');
      expect((await errorOf(session.update((now) => now ?? { items: [], guests: 2 }))).code).toBe('SESSION_INVALID');
      await mend();
      await session.get();
    }
  });

  test('what was kept before it had a default gets the default', async () => {
    await anything().set({ items: ['a'] });
    expect(await open(cart).get()).toEqual({ items: ['a'], guests: 2 });
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error(secret);
      },
    ],
    ['rejects', () => Promise.reject(new Error(secret))],
    ['returns nothing', () => undefined],
    ['has issues that are none', () => ({ issues: [null] })],
  ])('a library that %s is SESSION_INVALID with its cause, and nothing is kept', async (_, validate) => {
    const schema = { '~standard': { version: 1, vendor: 'broken', validate } } as unknown as StandardSchemaV1<
      unknown,
      1
    >;
    const error = await errorOf(open(schema).set(1));
    expect(error.code).toBe('SESSION_INVALID');
    expect(error.cause).toBeInstanceOf(Error);
    expect(memory.keys).toEqual([]);
  });

  test('text in the store that is no JSON is SESSION_INVALID, and is not quoted, not even in a cause', async () => {
    await anything().set(1);
    const [key = ''] = memory.keys;
    await memory.put(key, { value: `{${secret}`, ttlMs: 1_000 });
    const error = await errorOf(anything().get());
    expect(error).toMatchObject({ code: 'SESSION_INVALID', cause: undefined });
  });
});

describe('JSON', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = { back: cyclic };
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const sparse = [1];
  sparse[2] = 3;

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined inside', { a: { b: undefined } }],
    ['undefined in an array', [1, undefined]],
    ['a hole in an array', sparse],
    ['a vast array of holes', new Array(4_000_000_000)],
    ['a property of an array', Object.assign([1], { index: 0 })],
    ['a function', { a: () => 1 }],
    ['a method toJSON', { toJSON: () => 1 }],
    ['a symbol', { a: Symbol('a') }],
    ['a symbol as a key', { [Symbol('a')]: 1 }],
    ['a hidden property', Object.defineProperty({}, 'a', { value: 1, enumerable: false })],
    ['NaN', { a: Number.NaN }],
    ['Infinity', [Number.POSITIVE_INFINITY]],
    ['BigInt', { a: 1n }],
    ['Date', { a: new Date(0) }],
    ['Map', { a: new Map() }],
    ['bytes', Buffer.from('a')],
    [
      'an object of a class',
      {
        a: new (class Guest {
          name = 'a';
        })(),
      },
    ],
    ['a boxed string', { a: Object('a') }],
    ['a cycle', cyclic],
    ['101 levels', deep(101)],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error(secret);
        },
      },
    ],
  ])('%s is SESSION_INVALID, and nothing is kept', async (_, value) => {
    const { code } = await errorOf(anything().set(value));
    expect(code).toBe('SESSION_INVALID');
    expect(memory.keys).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['an empty text', ''],
    ['100 levels', deep(100)],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['an object of another realm', vm.runInNewContext('({ a: [1, { b: 2 }] })')],
    ['the same object twice', [cartLike(), cartLike()]],
    ['lone surrogates', { '\ud800': '\udfff' }],
  ])('%s is kept as it is', async (_, value) => {
    await anything().set(value);
    expect(await anything().get()).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test('any JSON reads back as it was set', async () => {
    const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }).map((json) => JSON.parse(JSON.stringify(json)));
    await fc.assert(
      fc.asyncProperty(value, async (json) => {
        await anything().set(json);
        const reaches = JSON.stringify(json).includes('__proto__') || JSON.stringify(json).includes('constructor');
        if (!reaches) expect(await anything().get()).toEqual(json);
      }),
    );
  });

  test('a key __proto__ reaches no prototype', async () => {
    await anything().set(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1}'));
    const read = (await anything().get()) as object;
    expect(Object.keys(read)).toEqual(['a']);
    expect(Object.assign({}, read)).not.toHaveProperty('polluted');
    expect({}).not.toHaveProperty('polluted');
  });
});

function cartLike(): object {
  return { items: [] };
}

describe('64 KiB', () => {
  test('is what the JSON may have, counted in bytes of UTF-8', async () => {
    await anything().set('x'.repeat(KIB_64 - 2));
    expect((await errorOf(anything().set('x'.repeat(KIB_64 - 1)))).code).toBe('SESSION_TOO_LARGE');
    await anything().set('ä'.repeat(KIB_64 / 2 - 1));
    expect((await errorOf(anything().set(`${'ä'.repeat(KIB_64 / 2 - 1)}x`))).code).toBe('SESSION_TOO_LARGE');
    expect((await errorOf(anything().set('\n'.repeat(KIB_64 / 2)))).code).toBe('SESSION_TOO_LARGE');
    expect(await anything().get()).toBe('ä'.repeat(KIB_64 / 2 - 1));
  });

  test('bounds update too, and what was there stays', async () => {
    await anything().set(1);
    expect((await errorOf(anything().update(() => 'x'.repeat(KIB_64)))).code).toBe('SESSION_TOO_LARGE');
    expect(await anything().get()).toBe(1);
  });

  test('never refuses what fits, nor lets pass what does not', async () => {
    const long = fc
      .integer({ min: 0, max: 9_000 })
      .chain((n) => fc.constantFrom('x', 'ä', '"', '\ud83d\ude00').map((c) => c.repeat(n)));
    const value = fc.dictionary(
      fc.string(),
      fc.oneof(long, fc.array(fc.integer(), { maxLength: 9_000, size: 'max' })),
      { maxKeys: 9 },
    );
    await fc.assert(
      fc.asyncProperty(value, async (json) => {
        const fits = Buffer.byteLength(JSON.stringify(json)) <= KIB_64;
        const outcome = await anything()
          .set(json)
          .then(
            () => 'kept',
            ({ code }: FlowgateError) => code,
          );
        expect(outcome).toBe(fits ? 'kept' : 'SESSION_TOO_LARGE');
      }),
      { numRuns: 40 },
    );
  });

  test('a small value that would unfold into gigabytes is refused without being written', async () => {
    let twice: unknown = 'x';
    for (let i = 0; i < 60; i++) twice = [twice, twice];
    expect((await errorOf(anything().set(twice))).code).toBe('SESSION_TOO_LARGE');
    const longKeys = new Array(20_000).fill({ ['k'.repeat(60_000)]: 1 });
    expect((await errorOf(anything().set(longKeys))).code).toBe('SESSION_TOO_LARGE');
  });
});

describe('update', () => {
  const counter = z.number();

  test('begins with nothing, and returns what it kept', async () => {
    const change = vi.fn((now: number | undefined) => (now ?? 0) + 1);
    expect(await open(counter).update(change)).toBe(1);
    expect(await open(counter).update(change)).toBe(2);
    expect(change.mock.calls).toEqual([[undefined], [1]]);
  });

  test('returns what the schema put out', async () => {
    expect(await open<{ items: string[]; guests?: number }>(cart).update(() => ({ items: [] }))).toEqual({
      items: [],
      guests: 2,
    });
  });

  test('of ten at the same time none is lost, asynchronous changes included', async () => {
    const sessions = Array.from({ length: 10 }, () => open(counter));
    await Promise.all(
      sessions.map((session, i) =>
        session.update(async (now) => {
          if (i % 2 === 0) await Promise.resolve();
          return (now ?? 0) + 1;
        }),
      ),
    );
    expect(await open(counter).get()).toBe(10);
  });

  test('none is lost under any interleaving; one that gives up says so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 14 }), async (scheduler, writers) => {
        await memory.delete(memory.keys[0] ?? 'none');
        state.before = (call) => scheduler.schedule(Promise.resolve(), call);
        const updates = Promise.allSettled(
          Array.from({ length: writers }, () => open(counter).update((now) => (now ?? 0) + 1)),
        );
        await scheduler.waitFor(updates);
        const settled = await updates;
        state.before = () => {};
        const kept = settled.filter(({ status }) => status === 'fulfilled').length;
        expect(await open(counter).get()).toBe(kept);
        for (const outcome of settled) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'SESSION_CONFLICT' });
        }
        if (writers <= 10) expect(kept).toBe(writers);
      }),
    );
  });

  test('tries ten times, then rejects with SESSION_CONFLICT and keeps what the others wrote', async () => {
    const change = vi.fn(async (now: number | undefined) => {
      await open(counter).set((now ?? 0) + 100);
      return -1;
    });
    expect((await errorOf(open(counter).update(change))).code).toBe('SESSION_CONFLICT');
    expect(change).toHaveBeenCalledTimes(10);
    expect(await open(counter).get()).toBe(1_000);
  });

  test('does not try again once the signal has fired', async () => {
    const controller = new AbortController();
    const change = vi.fn(async () => {
      await open(counter).set(7);
      controller.abort(new DOMException('the deadline passed', 'TimeoutError'));
      return 1;
    });
    const session = open(counter, { request: { signal: controller.signal } });
    await expect(session.update(change)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(change).toHaveBeenCalledTimes(1);
    expect(await open(counter).get()).toBe(7);
  });

  test('does not bring back what was deleted while it ran', async () => {
    await open(counter).set(5);
    const seen: (number | undefined)[] = [];
    await open(counter).update(async (now) => {
      if (seen.push(now) === 1) await open(counter).delete();
      return (now ?? 0) + 1;
    });
    expect(seen).toEqual([5, undefined]);
    expect(await open(counter).get()).toBe(1);
  });

  test('does not take a session that was deleted and set anew for the one it read', async () => {
    await open(counter).set(5);
    let tries = 0;
    await open(counter).update(async (now) => {
      tries += 1;
      if (tries === 1) {
        await open(counter).delete();
        await open(counter).set(50);
      }
      return (now ?? 0) + 1;
    });
    expect(await open(counter).get()).toBe(51);
  });

  test('a change that throws keeps nothing, and its error comes through as it is', async () => {
    await open(counter).set(5);
    const mine = new Error('mine');
    await expect(
      open(counter).update(() => {
        throw mine;
      }),
    ).rejects.toBe(mine);
    await expect(open(counter).update(() => Promise.reject(mine))).rejects.toBe(mine);
    expect(await open(counter).get()).toBe(5);
  });

  test('a change that edits what it was given, and returns nothing, is told', async () => {
    await open(cart).set({ items: [], guests: 1 });
    const edit = (now: { items: string[] } | undefined) => void now?.items.push('a');
    expect((await errorOf(open(cart).update(edit as never))).code).toBe('SESSION_INVALID');
    expect(await open(cart).get()).toEqual({ items: [], guests: 1 });
  });
});

test('a call costs one question to the store, an update two', async () => {
  const session = anything();
  await session.set(1);
  await session.get();
  await session.update(() => 2);
  await session.delete();
  expect(state.calls).toEqual(['put', 'get', 'get', 'put', 'delete']);
});
