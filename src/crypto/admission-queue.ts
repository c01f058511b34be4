/**
 * The line in front of the decrypt workers: first in, first out, bounded, with a deadline for each entry.
 *
 * Pure: the caller passes the time in. An entry whose deadline has passed, or that was cancelled, is dropped when its
 * turn comes, so it costs no RSA.
 */

export interface Admitted {
  /** Monotonic ms; an entry taken at or after it is expired. */
  readonly deadlineMs: number;
  /** True once nobody waits for this entry any more. */
  readonly cancelled: boolean;
}

export type DropReason = 'expired' | 'cancelled';

export class AdmissionQueue<T extends Admitted> {
  readonly #capacity: number;
  readonly #onDropped: (entry: T, reason: DropReason) => void;
  // A ring would be faster to shift; an array with a moving head is as cheap here and has no wrap to get wrong.
  #entries: T[] = [];
  #head = 0;

  /** @param onDropped called once for each entry that was admitted and will not be taken. */
  constructor(capacity: number, onDropped: (entry: T, reason: DropReason) => void) {
    this.#capacity = capacity;
    this.#onDropped = onDropped;
  }

  /** Entries waiting, expired and cancelled ones included until their turn. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** @returns false when the queue is full: the caller sheds. */
  offer(entry: T): boolean {
    if (this.length >= this.#capacity) return false;
    this.#entries.push(entry);
    return true;
  }

  /** Takes up to `count` live entries, oldest first. */
  take(count: number, nowMs: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head++] as T;
      if (entry.cancelled) this.#onDropped(entry, 'cancelled');
      else if (nowMs >= entry.deadlineMs) this.#onDropped(entry, 'expired');
      else taken.push(entry);
    }
    this.#compact();
    return taken;
  }

  /** Drops what has been taken once it is half of the array: amortised, each entry is moved at most once. */
  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
