import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retryDelayMs, toLimits } from '../../src/webhooks/limits.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const anyRetry = fc
  .record({ attempts: fc.integer({ min: 1, max: 100 }), delays: fc.tuple(fc.nat(WEEK_MS), fc.nat(WEEK_MS)) })
  .map(({ attempts, delays: [a, b] }) => ({ attempts, minDelayMs: Math.min(a, b), maxDelayMs: Math.max(a, b) }));
const anyRandom = fc.double({ min: 0, max: 1, noNaN: true });

describe('the delay before another attempt', () => {
  test('is at most its limit and at least half of what it would be alone, and never shorter than the one before', () => {
    fc.assert(
      fc.property(anyRetry, anyRandom, (retry, random) => {
        const limits = toLimits({ retry });
        const alone = retry.minDelayMs;
        let before = 0;
        for (let attempt = 1; attempt <= retry.attempts; attempt++) {
          const delayMs = retryDelayMs(limits, attempt, random);
          expect(delayMs).toBeLessThanOrEqual(retry.maxDelayMs);
          expect(delayMs).toBeGreaterThanOrEqual(Math.floor(alone / 2));
          expect(delayMs).toBeGreaterThanOrEqual(before);
          expect(Number.isSafeInteger(delayMs)).toBe(true);
          before = delayMs;
        }
      }),
    );
  });

  test('doubles from a second, and adds up to about half an hour over the usual twelve attempts', () => {
    const delays = Array.from({ length: 11 }, (_, i) => retryDelayMs(toLimits(), i + 1, 0));
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(delays.reduce((sum, ms) => sum + ms)).toBe(2_047_000);
  });

  test.each([
    [1, 0, 60_000],
    [1, 1, 30_000],
    [4, 0, 100_000],
    [100, 0.5, 75_000],
  ])('after attempt %i with random %d is %i ms, between 60 s and 100 s', (attempt, random, delayMs) => {
    const limits = toLimits({ retry: { minDelayMs: 60_000, maxDelayMs: 100_000 } });
    expect(retryDelayMs(limits, attempt, random)).toBe(delayMs);
  });
});

describe('limits', () => {
  test('that nobody sets are 12 attempts, up to an hour apart, of 30 s each', () => {
    const retry = { attempts: 12, minDelayMs: 1_000, maxDelayMs: 3_600_000 };
    expect(toLimits()).toEqual({ retry, deadlineMs: 30_000 });
    expect(toLimits({ retry: { attempts: 2 } })).toEqual({ retry: { ...retry, attempts: 2 }, deadlineMs: 30_000 });
  });

  test('let the first delay be longer than an hour without a longest one', () => {
    const retry = { attempts: 12, minDelayMs: WEEK_MS, maxDelayMs: WEEK_MS };
    expect(toLimits({ retry: { minDelayMs: WEEK_MS } })).toMatchObject({ retry });
  });

  test.each([
    [{ retry: { attempts: 0 } }, 'attempts must be a whole number from 1 to 100'],
    [{ retry: { attempts: 101 } }, 'attempts must be a whole number from 1 to 100'],
    [{ retry: { attempts: 1.5 } }, 'attempts must be a whole number from 1 to 100'],
    [{ retry: { attempts: '3' as never } }, 'attempts must be a whole number from 1 to 100'],
    [{ retry: { minDelayMs: -1 } }, 'minDelayMs must be a whole number from 0 to 604800000'],
    [{ retry: { minDelayMs: WEEK_MS + 1 } }, 'minDelayMs must be a whole number from 0 to 604800000'],
    [{ retry: { minDelayMs: 10, maxDelayMs: 9 } }, 'maxDelayMs must be a whole number from 10 to 604800000'],
    [{ deadlineMs: 99 }, 'deadlineMs must be a whole number from 100 to 3600000'],
    [{ deadlineMs: 3_600_001 }, 'deadlineMs must be a whole number from 100 to 3600000'],
    [{ deadlineMs: Number.NaN }, 'deadlineMs must be a whole number from 100 to 3600000'],
  ])('%j are a TypeError', (options, sentence) => {
    expect(() => toLimits(options)).toThrow(new TypeError(sentence));
  });
});
