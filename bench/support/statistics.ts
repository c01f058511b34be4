/** The few statistics a bench reports. */

/** The middle value; of an even count the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Durations by the hundred thousand, kept whole: a percentile is exact, not a bucket's edge. */
export class Durations {
  #values = new Float64Array(4_096);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(durationMs: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = durationMs;
  }

  /** The smallest duration that at least `share` of all are not above; sorts in place. NaN for none. */
  percentile(share: number): number {
    const values = this.#values.subarray(0, this.#count).sort();
    return values[Math.max(0, Math.ceil(share * this.#count) - 1)] ?? Number.NaN;
  }
}
