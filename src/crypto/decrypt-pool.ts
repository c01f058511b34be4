/**
 * The main-thread side of the decrypt pool: keeps RSA off the event loop.
 *
 * Requests wait in our own queue and cross to the workers in batches that grow with the backlog: a lone request leaves
 * at once and alone, a crowd shares the cost of a message. Requests of several businesses wait in one line and share
 * batches and threads, but no keys.
 */
import { FlowgateError } from '../errors.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { UnwrapTrace } from '../tracing/tracing.ts';
import { AdmissionQueue, type Admitted, type DropReason } from './admission-queue.ts';
import { type MixedBatch, toBatch } from './decrypt-rings.ts';
import type { UnwrappedBatch, WrappedBatch } from './decrypt-worker.ts';
import { BATCHES_PER_WORKER, DecryptWorkers, type DecryptWorkersOptions } from './decrypt-workers.ts';
import type { KeyRing } from './keyring.ts';
import type { KeyUnwrapper, UnwrapRequest } from './open-envelope.ts';

/**
 * Above 16 a batch saves no more messages worth having and makes its first request wait for its last: CPU for an unwrap
 * over the bare operation is 1.55 at 1, 1.20 at 4, 1.12 at 16, 1.14 at 32 (bench/engines.ts).
 */
export const DEFAULT_MAX_BATCH = 16;
/** Two seconds on the spinner are a long wait, but an answer; beyond, a refusal is kinder. Meta gives up at ten. */
export const DEFAULT_MAX_WAIT_MS = 2_000;
const PROBLEM_MS = 10_000;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Until the first batch has been timed: an RSA-2048 private operation on a slow core. */
const ASSUMED_RSA_MS = 0.5;
/** Weight of the newest batch in the moving average of the time for one request: the last twenty or so count. */
const NEWEST_WEIGHT = 0.05;

export interface DecryptPoolOptions extends DecryptWorkersOptions {
  readonly metrics: Metrics;
  /** Most requests that cross to a worker together, 1 to 64. */
  readonly maxBatch?: number;
  /** Longest wait, by estimate, to which a request is admitted. */
  readonly maxWaitMs?: number;
}

export class DecryptPool implements KeyUnwrapper {
  readonly #options: DecryptPoolOptions;
  readonly #queue: AdmissionQueue<Job>;
  readonly #maxBatch: number;
  #workers: DecryptWorkers;
  #isClosed = false;
  #batchesInFlight = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  /** Moving average of the time in RSA for one request, as the workers measure it. */
  #rsaMs = ASSUMED_RSA_MS;

  /** Rejects with `POOL_START_FAILED`. */
  static async start(options: DecryptPoolOptions): Promise<DecryptPool> {
    return new DecryptPool(options, await DecryptWorkers.start(options));
  }

  private constructor(options: DecryptPoolOptions, started: DecryptWorkers) {
    const { metrics, workers, maxBatch = DEFAULT_MAX_BATCH, maxWaitMs = DEFAULT_MAX_WAIT_MS } = options;
    this.#options = options;
    this.#workers = started;
    this.#maxBatch = maxBatch;
    this.#queue = new AdmissionQueue({ maxWaitMs, maxBytes: MAX_QUEUED_BYTES }, (job, why) => this.#drop(job, why));
    metrics.decryptQueueLength.collectFrom(() => this.#queue.length);
    metrics.decryptWorkers.set(workers);
  }

  /** Told for ten seconds after a batch failed, since a process that is sent nothing could not show that it works again. */
  get problem(): string | undefined {
    const { clock } = this.#options;
    if (clock.nowMs() - this.#failedAtMs >= PROBLEM_MS) return undefined;
    return 'the decrypt workers died on a request, twice in a row: the log and the system say of what';
  }

  get isSaturated(): boolean {
    return this.#queue.isFull(this.#serviceMs);
  }

  /**
   * @returns the AES key of a request, 16 bytes, or undefined when none of the private keys that are its own opens it.
   * Rejects with `POOL_SATURATED`, `DEADLINE_EXPIRED`, `POOL_FAILED` or `CLIENT_GONE`.
   */
  unwrap(request: UnwrapRequest): Promise<Buffer | undefined> {
    const job = new Job(request, this.#options.clock.nowMs());
    if (!this.#queue.offer(job, this.#serviceMs)) {
      this.#options.metrics.shed('queue_full');
      return Promise.reject(new FlowgateError('POOL_SATURATED', 'the decrypt queue is full: add cores or processes'));
    }
    this.#dispatch();
    return job.promise;
  }

  /**
   * Swaps the keys of the requests that bring none of their own, with no request lost: new threads are started and
   * proven, and only then take over; the old ones end when their last batch is done. Rejects with `POOL_START_FAILED`, and then the old keys go on serving.
   */
  async replaceKeys(keys: KeyRing): Promise<void> {
    const replacement = await DecryptWorkers.start({ ...this.#options, keys });
    if (this.#isClosed) return replacement.destroy();
    const retired = this.#workers;
    this.#workers = replacement;
    await retired.close().catch(() => retired.destroy());
  }

  /** Ends the threads. Call it when nothing is in flight: what still waits gets `POOL_FAILED`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#workers.destroy();
  }

  /** Time in which the queue gets shorter by one. */
  get #serviceMs(): number {
    return this.#rsaMs / this.#options.workers;
  }

  #dispatch(): void {
    const { workers, clock } = this.#options;
    while (this.#batchesInFlight < workers * BATCHES_PER_WORKER && this.#queue.length > 0) {
      const size = Math.min(Math.ceil(this.#queue.length / workers), this.#maxBatch);
      const batch = this.#queue.take(size, clock.nowMs());
      if (batch.length > 0) void this.#run(batch);
    }
  }

  async #run(batch: readonly Job[]): Promise<void> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.nowMs();
    this.#batchesInFlight += 1;
    try {
      const { aesKeys, busyMs } = await this.#execute(batch);
      this.#rsaMs += (busyMs / batch.length - this.#rsaMs) * NEWEST_WEIGHT;
      metrics.decryptBatch(batch.length, busyMs);
      const endedMs = clock.nowMs();
      for (let i = 0; i < batch.length; i++) {
        const job = batch[i] as Job;
        metrics.queueWait(startedMs - job.enqueuedAtMs);
        job.trace?.unwrapped(job.enqueuedAtMs, startedMs, endedMs, batch.length);
        job.resolve(aesKeys[i] ? Buffer.from(aesKeys[i] as string, 'latin1') : undefined);
      }
    } catch {
      const failure = new FlowgateError('POOL_FAILED', 'the decrypt workers died twice on this request');
      this.#failedAtMs = clock.nowMs();
      for (const job of batch) {
        job.trace?.unwrapFailed(job.enqueuedAtMs, startedMs, this.#failedAtMs);
        job.reject(failure);
      }
    } finally {
      this.#batchesInFlight -= 1;
      this.#dispatch();
    }
  }

  /** A batch whose worker died is run again, once, on whichever threads serve by then. */
  async #execute(batch: readonly Job[]): Promise<UnwrappedBatch> {
    const sent = toBatch(batch);
    try {
      return await this.#runOn(this.#workers, sent);
    } catch {
      this.#options.metrics.decryptRetried(batch.length);
      return this.#runOn(this.#workers, sent);
    }
  }

  /** The threads that did it know the keys: by the time they answer, others may serve. */
  async #runOn(workers: DecryptWorkers, sent: WrappedBatch | MixedBatch): Promise<UnwrappedBatch> {
    const unwrapped = await workers.run(sent);
    this.#options.metrics.keyHits(workers.fingerprints, unwrapped.hits);
    return unwrapped;
  }

  #drop(job: Job, reason: DropReason): void {
    job.trace?.dropped(job.enqueuedAtMs, this.#options.clock.nowMs(), reason);
    if (reason === 'cancelled') {
      job.reject(new FlowgateError('CLIENT_GONE', 'the client left while its request waited'));
      return;
    }
    this.#options.metrics.shed(reason);
    job.reject(new FlowgateError('DEADLINE_EXPIRED', 'the request waited too long for decryption'));
  }
}

/** A request that waits for its AES key. */
class Job implements Admitted {
  /** Latin-1, as it crosses to a worker. */
  readonly wrappedKey: string;
  readonly keys: KeyRing | undefined;
  readonly deadlineMs: number;
  readonly enqueuedAtMs: number;
  readonly bytes: number;
  readonly trace: UnwrapTrace | undefined;
  readonly promise: Promise<Buffer | undefined>;
  resolve!: (aesKey: Buffer | undefined) => void;
  reject!: (error: FlowgateError) => void;
  readonly #isCancelled: () => boolean;

  constructor({ wrappedKey, keys, deadlineMs, bytes, isCancelled, trace }: UnwrapRequest, nowMs: number) {
    this.wrappedKey = wrappedKey.toString('latin1');
    this.keys = keys;
    this.deadlineMs = deadlineMs;
    this.enqueuedAtMs = nowMs;
    this.bytes = bytes;
    this.trace = trace;
    this.#isCancelled = isCancelled;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get cancelled(): boolean {
    return this.#isCancelled();
  }
}
