/**
 * The line in front of the decrypt workers: who is admitted, and who is dropped.
 *
 * First in, first out, and bounded by time: an entry is refused when those before it would keep it waiting longer than
 * the limit; and by bytes. A queue that has been full shows that requests come faster than they can be served. A full one
 * would then make every single user wait for the whole limit, so from there on it admits no more than a short wait, until
 * it has been empty once. What is too much is refused at the door, where it costs least: nothing that was admitted makes
 * way for what comes later, since each entry has been read and verified.
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

/** `expired`: its deadline passed. `cancelled`: nobody waits for it any more. */
export type DropReason = 'expired' | 'cancelled';

/** Of the limit, while requests come faster than they can be served: enough never to leave a worker idle. */
const OVERLOADED_SHARE = 1 / 8;

export class AdmissionQueue<T extends Admitted> {
  readonly #limits: AdmissionLimits;
  readonly #onDropped: (entry: T, reason: DropReason) => void;
  /** Oldest first, from `#head` on; what is before it has left. */
  #entries: T[] = [];
  #head = 0;
  #bytes = 0;
  #isOverloaded = false;

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
    const { maxWaitMs, maxBytes } = this.#limits;
    const admittedMs = this.#isOverloaded ? maxWaitMs * OVERLOADED_SHARE : maxWaitMs;
    return this.length * serviceMs >= admittedMs || this.#bytes >= maxBytes;
  }

  /** @returns false when the entry is refused: the caller sheds. */
  offer(entry: T, serviceMs: number): boolean {
    if (this.isFull(serviceMs)) return false;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    this.#isOverloaded ||= this.isFull(serviceMs);
    return true;
  }

  /** Takes up to `count` live entries, the oldest first. */
  take(count: number, nowMs: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.length > 0) {
      const entry = this.#leave(this.#entries[this.#head++]);
      if (entry.cancelled) this.#onDropped(entry, 'cancelled');
      else if (nowMs >= entry.deadlineMs) this.#onDropped(entry, 'expired');
      else taken.push(entry);
    }
    if (this.length === 0) this.#isOverloaded = false;
    this.#compact();
    return taken;
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
