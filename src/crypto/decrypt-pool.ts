/**
 * The main-thread side of the decrypt pool: keeps RSA off the event loop.
 *
 * Requests wait in our own queue, with deadlines; Piscina only executes. They cross to the workers in batches that
 * grow with the backlog: a lone request leaves at once and alone, a crowd shares the cost of a message.
 */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { Metrics } from '../metrics/registry.ts';
import { AdmissionQueue, type Admitted, type DropReason } from './admission-queue.ts';
import type { UnwrappedBatch } from './decrypt-worker.ts';
import { AES_KEY_BYTES } from './flow-cipher.ts';
import type { KeyRing } from './keyring.ts';
import type { KeyUnwrapper, UnwrapRequest } from './open-envelope.ts';

/** Above 16 a batch saves no more messages worth having and makes its first request wait for its last. */
const MAX_BATCH = 16;
/** One batch in work and one waiting at the door of each worker: it never idles while the main thread is busy. */
const BATCHES_PER_WORKER = 2;
/** 16 RSA operations take 4 ms; a batch that takes this long means the thread is stuck. */
const BATCH_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 10_000;
const QUEUE_CAPACITY = 8_000;

export interface DecryptPoolOptions {
  readonly keys: KeyRing;
  readonly workers: number;
  /** Requests that may wait, 8 000 by default: what one core serves in 2 s, well within the deadline. */
  readonly queueCapacity?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The built worker; tests put a faulty one here. */
  readonly workerFile?: string;
}

/** A request that waits for its AES key. */
class Job implements Admitted {
  readonly wrappedKey: string;
  readonly deadlineMs: number;
  readonly enqueuedAtMs: number;
  readonly promise: Promise<Buffer | undefined>;
  resolve!: (aesKey: Buffer | undefined) => void;
  reject!: (error: FlowgateError) => void;
  readonly #isCancelled: () => boolean;

  constructor({ wrappedKey, deadlineMs, isCancelled }: UnwrapRequest, nowMs: number) {
    this.wrappedKey = wrappedKey;
    this.deadlineMs = deadlineMs;
    this.enqueuedAtMs = nowMs;
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

export class DecryptPool implements KeyUnwrapper {
  readonly workers: number;
  readonly #options: DecryptPoolOptions;
  readonly #piscina: Piscina<readonly string[], UnwrappedBatch>;
  readonly #queue: AdmissionQueue<Job>;
  #batchesInFlight = 0;

  /** Starts the threads and proves, one real decryption each, that they work. Rejects with `POOL_START_FAILED`. */
  static async start(options: DecryptPoolOptions): Promise<DecryptPool> {
    const pool = new DecryptPool(options);
    try {
      await pool.#prove();
    } catch (error) {
      await pool.#piscina.destroy();
      throw new FlowgateError('POOL_START_FAILED', 'the decrypt workers did not start', { cause: error });
    }
    return pool;
  }

  private constructor(options: DecryptPoolOptions) {
    const { keys, workers, queueCapacity = QUEUE_CAPACITY, log, metrics } = options;
    this.workers = workers;
    this.#options = options;
    this.#queue = new AdmissionQueue(queueCapacity, (job, reason) => this.#drop(job, reason));
    this.#piscina = new Piscina({
      filename: options.workerFile ?? createRequire(import.meta.url).resolve('#decrypt-worker'),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: BATCHES_PER_WORKER,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerData: { privateKeys: keys.map(({ privateKey }) => privateKey) },
    });
    this.#piscina.on('error', () => log.error({ code: 'POOL_FAILED' }, 'a decrypt worker died'));
    metrics.decryptQueueLength.collectFrom(() => this.#queue.length);
    metrics.decryptWorkers.set(workers);
  }

  /**
   * @returns the AES key of a request, 16 bytes, or undefined when no private key opens it.
   * Rejects with `POOL_SATURATED`, `DEADLINE_EXPIRED`, `POOL_FAILED` or `CLIENT_GONE`.
   */
  unwrap(request: UnwrapRequest): Promise<Buffer | undefined> {
    const job = new Job(request, this.#options.clock.nowMs());
    if (!this.#queue.offer(job)) {
      this.#options.metrics.shed('queue_full');
      return Promise.reject(new FlowgateError('POOL_SATURATED', 'the decrypt queue is full: add cores or processes'));
    }
    this.#dispatch();
    return job.promise;
  }

  /** Ends the threads. Call it when nothing is in flight: what still waits gets `POOL_FAILED`. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }

  #dispatch(): void {
    while (this.#batchesInFlight < this.workers * BATCHES_PER_WORKER && this.#queue.length > 0) {
      const size = Math.min(Math.ceil(this.#queue.length / this.workers), MAX_BATCH);
      const batch = this.#queue.take(size, this.#options.clock.nowMs());
      if (batch.length > 0) void this.#run(batch);
    }
  }

  async #run(batch: readonly Job[]): Promise<void> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.nowMs();
    this.#batchesInFlight += 1;
    try {
      const { aesKeys, busyMs } = await this.#execute(batch);
      metrics.decryptBatch(batch.length, busyMs);
      for (const [i, job] of batch.entries()) {
        metrics.queueWait(startedMs - job.enqueuedAtMs);
        const aesKey = aesKeys[i];
        job.resolve(aesKey ? Buffer.from(aesKey, 'latin1') : undefined);
      }
    } catch {
      for (const job of batch)
        job.reject(new FlowgateError('POOL_FAILED', 'the decrypt workers died twice on this request'));
    } finally {
      this.#batchesInFlight -= 1;
      this.#dispatch();
    }
  }

  /** Unwrapping is pure, so a batch whose worker died is simply run again, once. */
  async #execute(batch: readonly Job[]): Promise<UnwrappedBatch> {
    const wrapped = batch.map((job) => job.wrappedKey);
    try {
      return await this.#withTimeout(BATCH_TIMEOUT_MS, this.#piscina.run(wrapped));
    } catch {
      this.#options.metrics.decryptRetried(batch.length);
      return this.#withTimeout(BATCH_TIMEOUT_MS, this.#piscina.run(wrapped));
    }
  }

  #drop(job: Job, reason: DropReason): void {
    if (reason === 'cancelled') {
      job.reject(new FlowgateError('CLIENT_GONE', 'the client left while its request waited'));
      return;
    }
    this.#options.metrics.shed('deadline');
    job.reject(new FlowgateError('DEADLINE_EXPIRED', 'the request waited for decryption until its deadline'));
  }

  async #prove(): Promise<void> {
    const { privateKey } = this.#options.keys[0];
    const aesKey = randomBytes(AES_KEY_BYTES);
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const wrapped = publicEncrypt({ key: createPublicKey(privateKey), ...padding }, aesKey).toString('base64');
    const proofs = Array.from({ length: this.workers }, () => this.#piscina.run([wrapped]));
    for (const { aesKeys } of await this.#withTimeout(START_TIMEOUT_MS, Promise.all(proofs))) {
      if (aesKeys[0] !== aesKey.toString('latin1')) throw new Error('a worker unwrapped a key wrongly');
    }
  }

  /** Piscina lets a task hang for ever when its worker cannot start: nothing here waits without an end. */
  #withTimeout<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(timeoutMs, () => reject(new Error('the worker did not answer')));
      work.then(resolve, reject).finally(cancel);
    });
  }
}
