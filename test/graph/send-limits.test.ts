import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PAIRS, PAIR_BURST, PAIR_INTERVAL_MS, PairBuckets, PerSecond } from '../../src/graph/send-limits.ts';

/** Milliseconds between attempts to send: often none, sometimes a fraction, now and then long. */
const gaps = (maxMs: number) =>
  fc.array(fc.oneof(fc.constant(0), fc.nat(maxMs), fc.double({ min: 0, max: 20, noNaN: true })), { maxLength: 400 });

/** When messages went that were sent whenever they might. */
function sendAll(gapsMs: readonly number[], limit: { freeAtMs(): number; take(nowMs: number): void }): number[] {
  let nowMs = 1_000;
  const sentAtMs: number[] = [];
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    if (limit.freeAtMs() > nowMs) continue;
    limit.take(nowMs);
    sentAtMs.push(nowMs);
  }
  return sentAtMs;
}

/** The most that went in any window of that length, its end not included. */
function mostIn(sentAtMs: readonly number[], windowMs: number): number {
  const counts = sentAtMs.map((fromMs, first) => {
    const end = sentAtMs.findIndex((atMs) => atMs - fromMs >= windowMs);
    return (end === -1 ? sentAtMs.length : end) - first;
  });
  return Math.max(0, ...counts);
}

describe('PerSecond', () => {
  test('lets no more than the limit go in any second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), gaps(400), (limit, gapsMs) => {
        expect(mostIn(sendAll(gapsMs, new PerSecond(limit)), 1_000)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('lets the limit go at once, and the next one a second after the first', () => {
    const limit = new PerSecond(80);
    expect(sendAll(Array(90).fill(0), limit)).toHaveLength(80);
    expect(limit.freeAtMs()).toBe(2_000);
    limit.take(2_000);
    expect(limit.freeAtMs()).toBe(2_000); // the second of the 80
  });

  test('lets the limit go in every second, for as long as it is asked to', () => {
    expect(sendAll(Array(100_000).fill(1), new PerSecond(80))).toHaveLength(8_000);
  });
});

describe('PairBuckets', () => {
  const pairOf = (buckets: PairBuckets, user: string) => ({
    freeAtMs: () => buckets.freeAtMs(user),
    take: (nowMs: number) => buckets.take(user, nowMs),
  });

  test('lets a user have no more than 45, and one in 6 s, in any window', () => {
    fc.assert(
      fc.property(gaps(20_000), fc.integer({ min: 1, max: 60 }), (gapsMs, seconds) => {
        const sent = sendAll(gapsMs, pairOf(new PairBuckets(), 'a'));
        const windowMs = seconds * 1_000;
        const refilled = Math.ceil(windowMs / PAIR_INTERVAL_MS) - 1; // the window's end is not in it
        expect(mostIn(sent, windowMs - 1e-6)).toBeLessThanOrEqual(PAIR_BURST + refilled);
      }),
    );
  });

  test('lets 45 go at once, the next one 6 s later, and 45 again after 270 s', () => {
    const pair = pairOf(new PairBuckets(), 'a');
    expect(sendAll(Array(60).fill(0), pair)).toHaveLength(45);
    expect(pair.freeAtMs()).toBe(1_000 + 6_000);
    pair.take(7_000);
    expect(pair.freeAtMs()).toBe(13_000);
    const burst = sendAll([13_000 - 1_000 + 44 * 6_000, ...Array(60).fill(0)], pair);
    expect(burst).toHaveLength(45);
  });

  test('has no more than 45 for who was not sent to for long', () => {
    const pair = pairOf(new PairBuckets(), 'a');
    pair.take(1_000);
    expect(sendAll([20_000, ...Array(60).fill(0)], pair)).toHaveLength(45);
  });

  test('counts each user alone', () => {
    const buckets = new PairBuckets();
    sendAll(Array(60).fill(0), pairOf(buckets, 'a'));
    expect(sendAll(Array(60).fill(0), pairOf(buckets, 'b'))).toHaveLength(45);
  });

  test('forgets users whose bucket is full again', () => {
    const buckets = new PairBuckets();
    for (let i = 0; i < 500; i++) buckets.take(`user ${i}`, i);
    expect(buckets.size).toBe(500);
    buckets.take('another', 6_499);
    expect(buckets.size).toBe(1);
  });

  test('keeps no more than 10,000 users, and forgets who was sent to longest ago', () => {
    const buckets = new PairBuckets();
    for (let i = 0; i < MAX_PAIRS; i++) buckets.take(`user ${i}`, 0);
    buckets.take('user 0', 1);
    buckets.take('one more', 1);
    expect(buckets.size).toBe(MAX_PAIRS);
    expect(buckets.freeAtMs('user 1')).toBe(Number.NEGATIVE_INFINITY);
    expect(buckets.freeAtMs('user 0')).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  });
});
