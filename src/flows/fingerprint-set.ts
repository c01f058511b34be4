/**
 * A set of 64-bit fingerprints in one flat array: 16 bytes for each it can hold, and nothing for the garbage collector.
 *
 * A Set of strings took 55 bytes an entry, and its garbage a tenth of the main thread under load.
 * Open addressing with linear probing, never more than half full. Fingerprints are the bits of an HMAC, so they are
 * spread evenly without hashing, and two bodies share one with a chance of 2^-64 a pair.
 */
export class FingerprintSet {
  readonly capacity: number;
  readonly #mask: number;
  /** Two words a slot; a slot whose words are both 0 is empty. */
  readonly #words: Uint32Array;
  #size = 0;

  /** @param capacity a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#mask = capacity * 2 - 1;
    this.#words = new Uint32Array(capacity * 4);
  }

  get size(): number {
    return this.#size;
  }

  has(low: number, high: number): boolean {
    const at = this.#find(low, high);
    return !this.#isEmpty(at);
  }

  /** @throws RangeError at capacity. */
  add(low: number, high: number): void {
    if (this.#size === this.capacity) throw new RangeError('the fingerprint set is full');
    const at = this.#find(low, high);
    if (!this.#isEmpty(at)) return;
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.#size += 1;
  }

  clear(): void {
    this.#words.fill(0);
    this.#size = 0;
  }

  #isEmpty(at: number): boolean {
    return this.#words[at] === 0 && this.#words[at + 1] === 0;
  }

  /** Index of the slot that holds the fingerprint, or of the empty one where it belongs. */
  #find(low: number, high: number): number {
    let slot = low & this.#mask;
    for (;;) {
      const at = slot * 2;
      if (this.#isEmpty(at) || (this.#words[at] === low && this.#words[at + 1] === high)) return at;
      slot = (slot + 1) & this.#mask;
    }
  }
}
