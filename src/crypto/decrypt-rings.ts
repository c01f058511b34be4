/**
 * Key rings that cross to the decrypt threads with the requests they open: those of other businesses than the settings'.
 *
 * One set of threads serves all of them. A key that crosses is a handle to the parsed one: 2 to 3 us a batch, a hundredth
 * of an RSA operation (measured, Node 20), so that no thread has to be told of a ring, or asked whether it knows one.
 */
import type { KeyObject } from 'node:crypto';
import { setLast } from '../last-used.ts';
import type { WrappedBatch } from './decrypt-worker.ts';
import { KeyOrder } from './key-order.ts';
import type { KeyRing } from './keyring.ts';

/** Each holds a few hundred bytes: the keys themselves are shared by all threads. */
export const MAX_RINGS_PER_THREAD = 1_024;

/** A key ring as a thread sees it. */
export interface SentRing {
  /** No other ring of this process ever has it. */
  readonly id: number;
  /** Newest first. */
  readonly privateKeys: readonly KeyObject[];
}

/** Requests of which some have a key ring of their own: theirs is tried, and no other. */
export interface MixedBatch {
  readonly wrapped: WrappedBatch;
  readonly rings: readonly SentRing[];
  /** For each request the place of its ring in `rings`; `OWN_RING` for the keys that the thread was started with. */
  readonly ringOf: readonly number[];
}

export const OWN_RING = -1;

/** What is sent of a request. */
interface Sendable {
  readonly wrappedKey: string;
  readonly keys: KeyRing | undefined;
}

/** @returns the plain form where no request has a ring of its own. */
export function toBatch(requests: readonly Sendable[]): WrappedBatch | MixedBatch {
  const wrapped = requests.map(({ wrappedKey }) => wrappedKey);
  if (!requests.some(({ keys }) => keys !== undefined)) return wrapped;
  const rings: SentRing[] = [];
  const ringOf = requests.map(({ keys }) => (keys ? placeIn(rings, sentRing(keys)) : OWN_RING));
  return { wrapped, rings, ringOf };
}

function placeIn(rings: SentRing[], ring: SentRing): number {
  const at = rings.indexOf(ring);
  return at === -1 ? rings.push(ring) - 1 : at;
}

const sentRings = new WeakMap<KeyRing, SentRing>();
let ringsSent = 0;

/** The same for one ring, always. */
function sentRing(keys: KeyRing): SentRing {
  const known = sentRings.get(keys);
  if (known) return known;
  const ring = { id: ++ringsSent, privateKeys: keys.map(({ privateKey }) => privateKey) };
  sentRings.set(keys, ring);
  return ring;
}

/** What a thread has learned of the order in which the keys of a ring are best tried. The least recently used is forgotten. */
export class RingOrders {
  /** By ring id, least recently used first. */
  readonly #orders = new Map<number, KeyOrder>();
  readonly #limit: number;

  constructor(limit = MAX_RINGS_PER_THREAD) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#orders.size;
  }

  of({ id, privateKeys }: SentRing): KeyOrder {
    const order = this.#orders.get(id) ?? new KeyOrder(privateKeys);
    setLast(this.#orders, id, order, this.#limit);
    return order;
  }
}
