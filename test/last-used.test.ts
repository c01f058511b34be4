import fc from 'fast-check';
import { expect, test } from 'vitest';
import { setLast } from '../src/last-used.ts';

test('keeps as many entries as it may, those that were set last, in that order', () => {
  const keys = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 6 }), (used, limit) => {
      const map = new Map<number, number>();
      for (const [i, key] of used.entries()) setLast(map, key, i, limit);
      const latest = [...new Set(used.toReversed())].slice(0, limit).toReversed();
      expect([...map]).toEqual(latest.map((key) => [key, used.lastIndexOf(key)]));
    }),
  );
});

test('lets go of a key that is undefined like of any other', () => {
  const map = new Map<string | undefined, number>([[undefined, 1]]);
  setLast(map, 'a', 2, 1);
  expect([...map]).toEqual([['a', 2]]);
});
