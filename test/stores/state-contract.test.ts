/** What every state store promises, tested on each of them. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_KEY_CHARS, MAX_STATE_CHARS, MAX_STATE_TTL_MS, type StateStore } from '../../src/state/state-store.ts';
import { type StateEngine, stateEngines, type TestStore } from '../support/state-engines.ts';

const MINUTE_MS = 60_000;
const ttlMs = 10 * MINUTE_MS;

describe.each(stateEngines.map((engine) => [engine.name, engine] as const))('the %s state', (_, engine) => {
  let started: Awaited<ReturnType<StateEngine['start']>>;
  beforeAll(async () => {
    started = await engine.start();
  });
  afterAll(() => started[Symbol.asyncDispose]());

  /** An empty store, open until the end of the scope. */
  async function open(store: TestStore = started.newStore()) {
    const state = await store.open();
    return { state, elapse: store.elapse, store, [Symbol.asyncDispose]: () => state.close() };
  }

  test('knows nothing at first', async () => {
    await using opened = await open();
    expect(await opened.state.get('a')).toBeUndefined();
    expect(await opened.state.delete('a')).toBe(false);
  });

  test('gives back what was put, with the version that put told', async () => {
    await using opened = await open();
    const { state } = opened;
    const version = await state.put('a', { value: 'one', ttlMs });
    expect(version).toBeGreaterThanOrEqual(1);
    expect(await state.get('a')).toEqual({ value: 'one', version });
    expect(await state.get('A')).toBeUndefined();
  });

  test('writes over anything without ifVersion, each time with a larger version', async () => {
    await using opened = await open();
    const { state } = opened;
    const first = (await state.put('a', { value: 'one', ttlMs })) ?? 0;
    const second = (await state.put('a', { value: 'two', ttlMs })) ?? 0;
    expect(second).toBeGreaterThan(first);
    expect(await state.get('a')).toEqual({ value: 'two', version: second });
  });

  describe('ifVersion', () => {
    test('0 writes only where there is no record', async () => {
      await using opened = await open();
      const { state } = opened;
      const version = await state.put('a', { value: 'one', ttlMs, ifVersion: 0 });
      expect(version).toBeGreaterThanOrEqual(1);
      expect(await state.put('a', { value: 'two', ttlMs, ifVersion: 0 })).toBeUndefined();
      expect(await state.get('a')).toEqual({ value: 'one', version });
    });

    test('writes over the version that stands there, and over no other', async () => {
      await using opened = await open();
      const { state } = opened;
      const first = (await state.put('a', { value: 'one', ttlMs })) ?? 0;
      const second = (await state.put('a', { value: 'two', ttlMs, ifVersion: first })) ?? 0;
      expect(second).toBeGreaterThan(first);
      for (const stale of [first, second + 1, 0, -1]) {
        expect(await state.put('a', { value: 'stale', ttlMs, ifVersion: stale })).toBeUndefined();
      }
      expect(await state.get('a')).toEqual({ value: 'two', version: second });
      expect(await state.put('b', { value: 'one', ttlMs, ifVersion: first })).toBeUndefined();
      expect(await state.get('b')).toBeUndefined();
    });

    test('that does not fit leaves the time of the record as it was', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      await state.put('a', { value: 'one', ttlMs: MINUTE_MS });
      await state.put('a', { value: 'two', ttlMs, ifVersion: 0 });
      await elapse(MINUTE_MS);
      expect(await state.get('a')).toBeUndefined();
    });

    test('of a record that is gone fits no record that comes after it', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      const versions = [await state.put('a', { value: 'deleted', ttlMs })];
      await state.delete('a');
      versions.push(await state.put('a', { value: 'expired', ttlMs: MINUTE_MS }));
      await elapse(MINUTE_MS);
      versions.push(await state.put('a', { value: 'there', ttlMs }));
      expect(new Set(versions).size).toBe(3);
      expect(await state.put('a', { value: 'stale', ttlMs, ifVersion: versions[0] })).toBeUndefined();
      expect(await state.delete('a', versions[1])).toBe(false);
      expect(await state.get('a')).toEqual({ value: 'there', version: versions[2] });
    });

    test('lets exactly one of many win who write over the same version', async () => {
      await using opened = await open();
      const { state } = opened;
      for (const ifVersion of [0, await state.put('b', { value: 'before', ttlMs })]) {
        const key = ifVersion === 0 ? 'a' : 'b';
        const values = Array.from({ length: 50 }, (_, i) => `writer ${i}`);
        const written = await Promise.all(values.map((value) => state.put(key, { value, ttlMs, ifVersion })));
        const winners = values.filter((_, i) => written[i] !== undefined);
        expect(winners).toHaveLength(1);
        expect((await state.get(key))?.value).toBe(winners[0]);
      }
    });

    test('loses no update of many who read, change and write until it fits', async () => {
      await using opened = await open();
      const { state } = opened;
      const add = async () => {
        for (;;) {
          const found = await state.get('sum');
          const value = String(Number(found?.value ?? 0) + 1);
          if (await state.put('sum', { value, ttlMs, ifVersion: found?.version ?? 0 })) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, add));
      expect((await state.get('sum'))?.value).toBe('20');
    });
  });

  describe('delete', () => {
    test('takes the record away, once', async () => {
      await using opened = await open();
      const { state } = opened;
      await state.put('a', { value: 'one', ttlMs });
      await state.put('b', { value: 'other', ttlMs });
      expect(await state.delete('a')).toBe(true);
      expect(await state.delete('a')).toBe(false);
      expect(await state.get('a')).toBeUndefined();
      expect(await state.get('b')).toMatchObject({ value: 'other' });
    });

    test('of a version takes no other away', async () => {
      await using opened = await open();
      const { state } = opened;
      const first = (await state.put('a', { value: 'one', ttlMs })) ?? 0;
      const second = await state.put('a', { value: 'two', ttlMs });
      expect(await state.delete('a', first)).toBe(false);
      expect(await state.delete('a', 0)).toBe(false);
      expect(await state.get('a')).toEqual({ value: 'two', version: second });
      expect(await state.delete('a', second)).toBe(true);
      expect(await state.delete('b', 0)).toBe(false);
    });

    test('tells exactly one of many that it was theirs', async () => {
      await using opened = await open();
      const { state } = opened;
      const version = await state.put('a', { value: 'single use', ttlMs });
      const taken = await Promise.all(Array.from({ length: 30 }, () => state.delete('a', version)));
      expect(taken.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('time', () => {
    test('ends a record, which then stands in the way of nothing', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      const version = await state.put('a', { value: 'one', ttlMs });
      await elapse(ttlMs - MINUTE_MS);
      expect(await state.get('a')).toEqual({ value: 'one', version });
      await elapse(MINUTE_MS);
      expect(await state.get('a')).toBeUndefined();
      expect(await state.delete('a')).toBe(false);
      expect(await state.put('a', { value: 'two', ttlMs, ifVersion: version })).toBeUndefined();
      expect(await state.put('a', { value: 'two', ttlMs, ifVersion: 0 })).toBeGreaterThanOrEqual(1);
    });

    test.runIf(engine.isExact)('ends it at its last millisecond, not before', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      await state.put('a', { value: 'one', ttlMs: 1_000 });
      await elapse(999);
      expect(await state.get('a')).toBeDefined();
      await elapse(1);
      expect(await state.get('a')).toBeUndefined();
    });

    test('counts anew from every write, and from no read', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      await state.put('a', { value: 'one', ttlMs });
      await state.put('b', { value: 'one', ttlMs });
      await elapse(ttlMs - MINUTE_MS);
      await state.put('a', { value: 'two', ttlMs });
      await state.get('b');
      await elapse(MINUTE_MS);
      expect(await state.get('a')).toMatchObject({ value: 'two' });
      expect(await state.get('b')).toBeUndefined();
    });

    test('may be ten years, a millisecond, or a fraction', async () => {
      await using opened = await open();
      const { state, elapse } = opened;
      await state.put('long', { value: 'one', ttlMs: MAX_STATE_TTL_MS });
      await state.put('fraction', { value: 'one', ttlMs: 1.5 * MINUTE_MS + 0.25 });
      await state.put('short', { value: 'one', ttlMs: 1 });
      await elapse(MINUTE_MS);
      expect(await state.get('long')).toBeDefined();
      expect(await state.get('fraction')).toBeDefined();
      expect(await state.get('short')).toBeUndefined();
    });
  });

  describe('what is kept', () => {
    const texts = {
      'nothing at all': '',
      NUL: 'a\0b\0',
      'a line break': '{"a":"\r\n\u2028"}',
      emoji: '👩‍👩‍👧 größer than ',
      'a number': '12',
      'what looks like SQL': "'); DROP TABLE record; --",
    };
    test.each(Object.entries(texts))('may be %s', async (_name, value) => {
      await using opened = await open();
      const { state } = opened;
      const key = `key ${value}`;
      const version = await state.put(key, { value, ttlMs });
      expect(await state.get(key)).toEqual({ value, version });
      expect(await state.delete(key, version)).toBe(true);
    });

    test.each(['x', 'ü', '好'])('may be 2 Mi of %s, and no more', async (character) => {
      await using opened = await open();
      const { state } = opened;
      const value = character.repeat(MAX_STATE_CHARS);
      await state.put('a', { value, ttlMs });
      expect((await state.get('a'))?.value === value).toBe(true);
      const more = state.put('a', { value: `${value}x`, ttlMs });
      await expect(more).rejects.toThrow(TypeError);
      expect((await state.get('a'))?.value.length).toBe(value.length);
    });

    test('may be any text, under any key', async () => {
      await using opened = await open();
      const { state } = opened;
      const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(key, fc.string({ unit: 'grapheme' }), async (key, value) => {
          await state.put(key, { value, ttlMs });
          expect((await state.get(key))?.value).toBe(value);
        }),
        { numRuns: 50 },
      );
    });

    test('has a key of 1 to 200 characters', async () => {
      await using opened = await open();
      const { state } = opened;
      const longest = 'k'.repeat(MAX_KEY_CHARS);
      await state.put(longest, { value: 'one', ttlMs });
      expect(await state.get(longest)).toMatchObject({ value: 'one' });
      for (const key of ['', `${longest}k`]) {
        await expect(state.get(key)).rejects.toThrow(TypeError);
        await expect(state.put(key, { value: 'one', ttlMs })).rejects.toThrow(TypeError);
        await expect(state.delete(key)).rejects.toThrow(TypeError);
      }
    });

    test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, MAX_STATE_TTL_MS + 1])(
      'cannot live for %d ms',
      async (badTtlMs) => {
        await using opened = await open();
        await expect(opened.state.put('a', { value: 'one', ttlMs: badTtlMs })).rejects.toThrow(TypeError);
        expect(await opened.state.get('a')).toBeUndefined();
      },
    );
  });

  test.runIf(engine.isDurable)('outlives the store: value, version and time', async () => {
    const store = started.newStore();
    const before = await store.open();
    const version = await before.put('a', { value: 'one', ttlMs });
    await before.put('b', { value: 'one', ttlMs: MINUTE_MS });
    await before.close();
    await store.elapse(MINUTE_MS);
    await using opened = await open(store);
    expect(await opened.state.get('a')).toEqual({ value: 'one', version });
    expect(await opened.state.get('b')).toBeUndefined();
    expect(await opened.state.put('a', { value: 'two', ttlMs, ifVersion: version })).toBeGreaterThan(version ?? 0);
  });

  test('takes nothing after close, which may be called again', async () => {
    const state = await started.newStore().open();
    await state.close();
    for (const call of everyCall(state)) await expect(call).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await state.close();
  });
});

function everyCall(state: StateStore): Promise<unknown>[] {
  return [state.get('a'), state.put('a', { value: 'one', ttlMs }), state.delete('a')];
}
