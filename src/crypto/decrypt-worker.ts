/**
 * The worker side of the decrypt pool: RSA, and nothing else.
 *
 * The keys arrive parsed, once a thread. A batch and its answer are arrays of Latin-1 strings, a character a byte:
 * strings cross threads far cheaper than many small Buffers
 * (2 144-2 686 requests a second with Buffers, 3 590 with strings; 2 cores, Node 20).
 */
import type { KeyObject } from 'node:crypto';
import { setPriority } from 'node:os';
import { workerData } from 'piscina';
import { type MixedBatch, OWN_RING, RingOrders } from './decrypt-rings.ts';
import { KeyOrder } from './key-order.ts';

/** Wrapped AES keys, 256 characters each for a key of 2048 bits. */
export type WrappedBatch = readonly string[];

export interface UnwrappedBatch {
  /** In the order of the batch: 16 Latin-1 characters, or '' when no key opens it. */
  readonly aesKeys: readonly string[];
  /** How many of them each of the keys opened that the thread was started with, in their order. */
  readonly hits: readonly number[];
  /** Time in RSA, for the whole batch. */
  readonly busyMs: number;
}

/** What a thread is started with. */
export interface DecryptWorkerData {
  /** Newest first. */
  readonly privateKeys: readonly KeyObject[];
  /** 0 to 19: how far this thread steps back for the main thread, whose work is short and which everybody waits for. */
  readonly niceness: number;
}

const { privateKeys, niceness } = workerData as DecryptWorkerData;

// Linux keeps a niceness for each thread; elsewhere it would be the whole process that steps back.
if (process.platform === 'linux') setPriority(niceness);

const keyOrder = new KeyOrder(privateKeys);
const ringOrders = new RingOrders();

export default function unwrapBatch(batch: WrappedBatch | MixedBatch): UnwrappedBatch {
  const startedMs = performance.now();
  const hits: number[] = privateKeys.map(() => 0);
  const aesKeys =
    'wrapped' in batch ? unwrapMixed(batch, hits) : batch.map((wrapped) => unwrap(wrapped, keyOrder, hits));
  return { aesKeys, hits, busyMs: performance.now() - startedMs };
}

/** Each by its own ring: one without a ring that came along is opened by none. */
function unwrapMixed({ wrapped, rings, ringOf }: MixedBatch, hits: number[]): string[] {
  return wrapped.map((key, i) => {
    const place = ringOf[i] as number;
    if (place === OWN_RING) return unwrap(key, keyOrder, hits);
    const ring = rings[place];
    return ring ? unwrap(key, ringOrders.of(ring), []) : '';
  });
}

function unwrap(wrapped: string, order: KeyOrder, hits: number[]): string {
  return order.unwrap(Buffer.from(wrapped, 'latin1'), hits)?.toString('latin1') ?? '';
}
