import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Samples } from '../../bench/support/bench.ts';
import { formatFigure, medianFigures } from '../../bench/support/figures.ts';
import { Durations, median } from '../../bench/support/statistics.ts';
import { formatVerdict, judge, TARGETS } from '../../bench/support/targets.ts';

test.each([
  [[5], 5],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
  [[], Number.NaN],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('as many values are above the median as below it, whatever their order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      const above = values.filter((value) => value > middle).length;
      const below = values.filter((value) => value < middle).length;
      expect(Math.max(above, below)).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});

test('the median of several rounds is taken of each figure on its own, over the rounds that have it', () => {
  const rounds = [{ p50Ms: 1, p99Ms: 30 }, { p50Ms: 3, p99Ms: 10 }, { p50Ms: 2 }];
  expect(medianFigures(rounds)).toEqual({ p50Ms: 2, p99Ms: 20 });
});

test('a percentile is the smallest duration that so many are not above', () => {
  const durations = new Durations();
  for (let i = 10_000; i >= 1; i--) durations.add(i); // more than fit at first
  expect(durations.count).toBe(10_000);
  expect([0, 0.5, 0.99, 1].map((share) => durations.percentile(share))).toEqual([1, 5_000, 9_900, 10_000]);
  expect(new Durations().percentile(0.5)).toBeNaN();
});

test('samples keep every round and give the median of a row and the worst of all', () => {
  const samples = new Samples();
  for (const late of [0, 7, 1]) samples.add('a', { late });
  samples.add('b', { late: 2 });
  expect(samples.median('a')).toEqual({ late: 1 });
  expect(samples.max('late')).toBe(7);
  expect(samples.table('row', ['late']).rows).toEqual([
    { label: 'a', median: { late: 1 }, rounds: [{ late: 0 }, { late: 7 }, { late: 1 }] },
    { label: 'b', median: { late: 2 }, rounds: [{ late: 2 }] },
  ]);
});

test('a figure is printed with the digits of its kind, a share in percent, a missing one as a dash', () => {
  expect(formatFigure('requestsPerSec', 12_345.6)).toBe('12,346');
  expect(formatFigure('goodputShare', 0.956)).toBe('96');
  expect(formatFigure('cpuToRaw', 1.2)).toBe('1.20');
  expect(formatFigure('p99Ms', undefined)).toBe('-');
});

test.each([
  [TARGETS.cpu, { cpuToRaw: 1.2 }, ['1.20', 'at most 1.20', 'met']],
  [TARGETS.cpu, { cpuToRaw: 1.21 }, ['1.21', 'at most 1.20', 'missed']],
  [TARGETS.againstInline, { throughputRatio: 1.6 }, ['1.60', 'at least 1.60', 'met']],
  [TARGETS.againstInline, { throughputRatio: 1.5 }, ['1.50', 'at least 1.60', 'missed']],
  [TARGETS.memory, { rssMb: 150 }, ['150 MB', 'at most 200 MB', 'met']],
])('a target is met up to its very limit: %#', (target, figures, cells) => {
  expect(judge(target, figures).map(formatVerdict)).toEqual([[target.what, ...cells]]);
});

test('a target is not judged by a figure that was not measured', () => {
  expect(judge(TARGETS.cpu, {})).toEqual([]);
  expect(judge(TARGETS.cpu, undefined)).toEqual([]);
});
