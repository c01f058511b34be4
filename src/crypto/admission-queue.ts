/**
 * The line in front of the decrypt workers: who is admitted, who goes next, who is dropped.
 *
 * Admission is bounded by time: an entry is refused when those before it would keep it waiting longer than the limit,
 * so that the queue never holds work that comes to nothing; and by bytes. First in, first out, until the oldest entry
 * has waited close to the limit for 100 ms on end: then requests come faster than they can be served, and first in,
 * first out would make every single one of them late. From there on the newest goes first and is served at once, while
 * what has waited for the whole limit is dropped, until the queue has been empty or the backlog is gone.
 * (After Maurer, "Fail at Scale", ACM Queue 2015: adaptive LIFO with a short timeout.)
 *
 * Pure: the caller passes the time in. A dropped entry costs no RSA. Every admitted entry is taken or dropped, once.
 */

export interface Admitted {
  /** Monotonic ms. */
  readonly enqueuedAtMs: number;
  /** Monotonic ms; an entry taken at or after it is expired. */
  readonly deadlineMs: number;
  /** What the entry keeps in memory. */
  readonly bytes: number;
  /** True once nobody waits for this entry any more. */
  readonly cancelled: boolean;
}

export interface AdmissionLimits {
  /** Longest wait an entry is admitted to, by estimate. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
}

/** `expired`: its deadline passed. `crowded_out`: it waited for the limit while newer ones went first. */
export type DropReason = 'expired' | 'crowded_out' | 'cancelled';

/** The oldest entry has waited for this share of the limit... */
const STANDING_SHARE = 0.75;
/** ...and so has the oldest at every look for this long: a standing backlog, not a burst. */
const STANDING_MS = 100;

export class AdmissionQueue<T extends Admitted> {
  readonly #limits: AdmissionLimits;
  readonly #onDropped: (entry: T, reason: DropReason) => void;
  /** Oldest first, from `#head` on; what is before it has left. */
  #entries: T[] = [];
  #head = 0;
  #bytes = 0;
  #standingSinceMs: number | undefined;

  /** @param onDropped called once for each entry that was admitted and will not be taken. */
  constructor(limits: AdmissionLimits, onDropped: (entry: T, reason: DropReason) => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  /** Entries waiting; one that was cancelled counts until its turn. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param serviceMs time in which one entry is served, all servers together: what is ahead takes length x this. */
  isFull(serviceMs: number): boolean {
    return this.length * serviceMs >= this.#limits.maxWaitMs || this.#bytes >= this.#limits.maxBytes;
  }

  /** @returns false when the entry is refused: the caller sheds. */
  offer(entry: T, serviceMs: number): boolean {
    if (this.isFull(serviceMs)) return false;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    return true;
  }

  /** Takes up to `count` live entries: the oldest, or under a standing backlog the newest. */
  take(count: number, nowMs: number): T[] {
    const newestFirst = this.#hasStandingBacklog(nowMs);
    if (newestFirst) this.#dropCrowdedOut(nowMs);
    const taken: T[] = [];
    while (taken.length < count && this.length > 0) {
      const entry = newestFirst ? this.#leave(this.#entries.pop()) : this.#leave(this.#entries[this.#head++]);
      if (entry.cancelled) this.#onDropped(entry, 'cancelled');
      else if (nowMs >= entry.deadlineMs) this.#onDropped(entry, 'expired');
      else taken.push(entry);
    }
    this.#compact();
    return taken;
  }

  #hasStandingBacklog(nowMs: number): boolean {
    const oldest = this.#entries[this.#head];
    if (!oldest || nowMs - oldest.enqueuedAtMs < this.#limits.maxWaitMs * STANDING_SHARE) {
      this.#standingSinceMs = undefined;
      return false;
    }
    this.#standingSinceMs ??= nowMs;
    return nowMs - this.#standingSinceMs >= STANDING_MS;
  }

  /** The old end of a queue that is served from its new end: nobody would ever come to these. */
  #dropCrowdedOut(nowMs: number): void {
    for (;;) {
      const oldest = this.#entries[this.#head];
      if (!oldest || nowMs - oldest.enqueuedAtMs < this.#limits.maxWaitMs) return;
      this.#head += 1;
      this.#leave(oldest);
      this.#onDropped(oldest, oldest.cancelled ? 'cancelled' : 'crowded_out');
    }
  }

  #leave(entry: T | undefined): T {
    if (!entry) throw new RangeError('the admission queue lost count of its entries');
    this.#bytes -= entry.bytes;
    return entry;
  }

  /** Forgets what has left once it is half of the array: amortised, each entry is moved at most once. */
  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
