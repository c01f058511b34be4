/**
 * When the requests of an open loop are due: evenly spaced, and settled before the first one is sent.
 *
 * No answer moves an arrival. A generator that waits for a slow server before it sends the next request measures only
 * the requests that were spared the wait (coordinated omission).
 */
import type { Clock } from '../../dist/clock.js';

/** Sent before the generator looks for answers again, when it has fallen behind. */
const MAX_AT_ONCE = 256;
const TICK_MS = 1;

export class ArrivalSchedule {
  readonly #intervalMs: number;
  readonly count: number;

  constructor({ ratePerSec, durationMs }: { ratePerSec: number; durationMs: number }) {
    this.#intervalMs = 1_000 / ratePerSec;
    this.count = Math.max(1, Math.floor(durationMs / this.#intervalMs));
  }

  /** Of a request, since the start. */
  dueMs(index: number): number {
    return index * this.#intervalMs;
  }

  /** How many requests are due by then. */
  dueBy(elapsedMs: number): number {
    return Math.min(this.count, Math.floor(elapsedMs / this.#intervalMs) + 1);
  }
}

/**
 * Calls `send` for each request at its time, or as soon after it as the generator can.
 *
 * @param send is given the moment the request was due: its latency counts from there, however late it leaves.
 * @returns once the last request has been sent. Rejects with what `send` throws.
 */
export function sendOnSchedule(schedule: ArrivalSchedule, clock: Clock, send: (dueMs: number) => void): Promise<void> {
  const startMs = clock.nowMs();
  let sent = 0;
  return new Promise((resolve, reject) => {
    const tick = () => {
      try {
        const until = Math.min(schedule.dueBy(clock.nowMs() - startMs), sent + MAX_AT_ONCE);
        while (sent < until) send(startMs + schedule.dueMs(sent++));
      } catch (error) {
        reject(error);
        return;
      }
      if (sent === schedule.count) resolve();
      else clock.after(TICK_MS, tick);
    };
    tick();
  });
}
