/** Choices that a seed repeats; when the kernel lets which process run, no seed does. */
export class Random {
  #state: number;

  /** @param seed a whole number. */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0; // mulberry32
    const a = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    const b = (a + Math.imul(a ^ (a >>> 7), 61 | a)) ^ a;
    return ((b ^ (b >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number from `min` to `max`. */
  int(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** Takes one out of `values`, which must not be empty. */
  take<T>(values: T[]): T {
    const i = this.int(0, values.length - 1);
    const [taken, last] = [values[i], values.pop()] as [T, T];
    if (i < values.length) values[i] = last;
    return taken;
  }
}
