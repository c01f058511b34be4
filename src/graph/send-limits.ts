/**
 * What Meta lets one number send, counted at the instants of sending. Pure: times come in as monotonic milliseconds.
 *
 * Source: Meta, "Throughput" (80 messages a second and number, up to 1,000 on request), "Pair rate limits" (one message
 * in 6 s from a number to a user, 45 at once).
 */

import { setLast } from '../last-used.ts';

const SECOND_MS = 1_000;
export const PAIR_BURST = 45;
export const PAIR_INTERVAL_MS = 6_000;
export const MAX_PAIRS = 10_000;

/** In no second more than `limit`: remembers when the last `limit` went. 8 bytes for each. */
export class PerSecond {
  readonly #sentAtMs: Float64Array;
  /** Where the oldest is. */
  #oldest = 0;

  constructor(limit: number) {
    this.#sentAtMs = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
  }

  /** When the next one may go. */
  freeAtMs(): number {
    return (this.#sentAtMs[this.#oldest] ?? Number.NEGATIVE_INFINITY) + SECOND_MS;
  }

  take(nowMs: number): void {
    this.#sentAtMs[this.#oldest] = nowMs;
    this.#oldest = (this.#oldest + 1) % this.#sentAtMs.length;
  }
}

/**
 * A bucket of 45 for each user, refilled by one every 6 s.
 *
 * Kept are only buckets that are not full, and of those the 10,000 used last: whoever is forgotten has a full one, and if
 * Meta disagrees, it answers with code 131056. The names of the users are forgotten with them.
 */
export class PairBuckets {
  /** When each is full again, in the order of their last use. */
  readonly #fullAtMs = new Map<string, number>();
  #sweepAtMs = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#fullAtMs.size;
  }

  /** When the next one may go to that user. */
  freeAtMs(user: string): number {
    const fullAtMs = this.#fullAtMs.get(user);
    return fullAtMs === undefined ? Number.NEGATIVE_INFINITY : fullAtMs - (PAIR_BURST - 1) * PAIR_INTERVAL_MS;
  }

  take(user: string, nowMs: number): void {
    const fullAtMs = Math.max(this.#fullAtMs.get(user) ?? nowMs, nowMs) + PAIR_INTERVAL_MS;
    this.#sweep(nowMs);
    setLast(this.#fullAtMs, user, fullAtMs, MAX_PAIRS);
  }

  #sweep(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + PAIR_INTERVAL_MS;
    for (const [user, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(user);
  }
}
