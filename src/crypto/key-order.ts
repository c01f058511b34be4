/**
 * The keys of one decrypt thread, in the order in which they are tried.
 *
 * No key id comes with a request, and every miss costs a whole RSA operation. So the newest go first until it shows which
 * keys open most of the latest requests; then those do. While clients change over to a new key, misses are the share of
 * the smaller crowd.
 */
import type { KeyObject } from 'node:crypto';
import { unwrapWith } from './flow-cipher.ts';

/** Weight of the latest hit: the last 32 or so decide. */
const LATEST_WEIGHT = 1 / 32;
/**
 * By so much of the latest hits a key must lead to overtake another: five in a row at first. Without it two crowds of one
 * size, whose requests come in turn, would have each request find the wrong key first.
 */
const LEAD = 1 / 8;

export class KeyOrder {
  readonly #tried: Candidate[];

  /** @param privateKeys newest first. */
  constructor(privateKeys: readonly KeyObject[]) {
    this.#tried = privateKeys.map((privateKey, index) => ({ privateKey, index, recentShare: 0 }));
  }

  /**
   * Costs one RSA private operation for each key tried.
   *
   * @param hits one count a key, newest first: that of the key that fits is raised.
   * @returns 16 bytes, or undefined when no key opens it.
   */
  unwrap(wrappedKey: Buffer, hits: number[]): Buffer | undefined {
    for (const [position, candidate] of this.#tried.entries()) {
      const aesKey = unwrapWith(candidate.privateKey, wrappedKey);
      if (!aesKey) continue;
      hits[candidate.index] = (hits[candidate.index] ?? 0) + 1;
      if (this.#tried.length > 1) this.#noteHit(candidate, position);
      return aesKey;
    }
    return undefined;
  }

  /** Only the key that was hit can have overtaken others: it moves ahead of those it leads. */
  #noteHit(hit: Candidate, from: number): void {
    for (const candidate of this.#tried) candidate.recentShare *= 1 - LATEST_WEIGHT;
    hit.recentShare += LATEST_WEIGHT;
    let to = from;
    for (; to > 0; to--) {
      const ahead = this.#tried[to - 1] as Candidate;
      if (hit.recentShare - ahead.recentShare <= LEAD) break;
      this.#tried[to] = ahead;
    }
    this.#tried[to] = hit;
  }
}

interface Candidate {
  readonly privateKey: KeyObject;
  /** Among the keys, newest first. */
  readonly index: number;
  /** Of the latest hits, 0 to 1. */
  recentShare: number;
}
