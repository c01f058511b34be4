import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FingerprintSet } from '../../src/flows/fingerprint-set.ts';

/** Few values, so that they collide, with both ends of the range. */
const word = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0xffff_ffff, 0x8000_0000));

test('holds what was added and nothing else, until it is cleared', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 64 }), (added) => {
      const model = new Set<string>();
      const set = new FingerprintSet(64);
      for (const [low, high] of added) {
        if (low === 0 && high === 0) continue; // 2^-64: see below
        set.add(low, high);
        model.add(`${low} ${high}`);
      }
      expect(set.size).toBe(model.size);
      for (let low = 0; low < 12; low++) {
        for (let high = 0; high < 12; high++) expect(set.has(low, high)).toBe(model.has(`${low} ${high}`));
      }
      set.clear();
      expect(set.size).toBe(0);
      for (const [low, high] of added) expect(set.has(low, high)).toBe(false);
    }),
  );
});

test('takes as many as its capacity, and refuses one more', () => {
  const set = new FingerprintSet(8);
  for (let i = 1; i <= 8; i++) set.add(7, i); // all in one slot's row
  expect(() => set.add(7, 9)).toThrow(RangeError);
  expect([set.has(7, 1), set.has(7, 8), set.has(7, 9)]).toEqual([true, true, false]);
});

test('never claims to hold the fingerprint of zeros, which it cannot store', () => {
  const set = new FingerprintSet(8);
  set.add(0, 0);
  expect(set.has(0, 0)).toBe(false);
});
