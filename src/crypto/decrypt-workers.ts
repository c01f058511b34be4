/**
 * The threads that do RSA, started with one key ring. Piscina is the executor and no more: nobody waits in its queue.
 *
 * Unwrapping is pure, so what a dying thread leaves undone can be run again.
 */
import { createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { MixedBatch } from './decrypt-rings.ts';
import type { DecryptWorkerData, UnwrappedBatch, WrappedBatch } from './decrypt-worker.ts';
import { AES_KEY_BYTES, OAEP } from './flow-cipher.ts';
import type { KeyRing } from './keyring.ts';

/** One batch in work and one waiting at the door of each thread: it never idles while the main thread is busy. */
export const BATCHES_PER_WORKER = 2;
/**
 * At 1,000 connections on 2 cores the event loop's p99 delay was 19 ms at niceness 0, 12.5 at 5 and 9 at 10, for the
 * same throughput. But the threads step back for every process on the machine: beside a busy one, 10 starved them.
 */
export const DEFAULT_NICENESS = 5;
/** 16 RSA operations take 4 ms; a batch that takes this long means the thread is stuck. */
const BATCH_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 10_000;

export interface DecryptWorkersOptions {
  readonly keys: KeyRing;
  /** Threads. */
  readonly workers: number;
  /** 0 to 19; see `DecryptWorkerData`. */
  readonly niceness?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The built worker; tests put a faulty one here. */
  readonly workerFile?: string;
}

export class DecryptWorkers {
  /** Of their keys, newest first: whose hits a batch comes back with. */
  readonly fingerprints: readonly string[];
  readonly #clock: Clock;
  readonly #piscina: Piscina<WrappedBatch | MixedBatch, UnwrappedBatch>;

  /** Starts the threads and proves, one real decryption each, that they work. Rejects with `POOL_START_FAILED`. */
  static async start(options: DecryptWorkersOptions): Promise<DecryptWorkers> {
    const started = new DecryptWorkers(options);
    try {
      await started.#prove(options);
    } catch (error) {
      await started.destroy();
      throw new FlowgateError('POOL_START_FAILED', 'the decrypt workers did not start', { cause: error });
    }
    return started;
  }

  private constructor(options: DecryptWorkersOptions) {
    const { keys, workers, niceness = DEFAULT_NICENESS, clock, log, workerFile } = options;
    const workerData: DecryptWorkerData = { privateKeys: keys.map(({ privateKey }) => privateKey), niceness };
    this.fingerprints = keys.map(({ fingerprint }) => fingerprint);
    this.#clock = clock;
    this.#piscina = new Piscina({
      filename: workerFile ?? createRequire(import.meta.url).resolve('#decrypt-worker'),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: BATCHES_PER_WORKER,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerData,
    });
    this.#piscina.on('error', () => log.error({ code: 'POOL_FAILED' }, 'a decrypt worker died'));
  }

  /** Rejects when the thread dies or is stuck. */
  run(batch: WrappedBatch | MixedBatch): Promise<UnwrappedBatch> {
    return this.#withTimeout(BATCH_TIMEOUT_MS, this.#piscina.run(batch));
  }

  /** Ends the threads once what they were given is done. */
  close(): Promise<void> {
    return this.#piscina.close();
  }

  /** Ends the threads now. */
  destroy(): Promise<void> {
    return this.#piscina.destroy();
  }

  async #prove({ keys, workers }: DecryptWorkersOptions): Promise<void> {
    const aesKey = randomBytes(AES_KEY_BYTES);
    const key = createPublicKey(keys[0].privateKey);
    const wrapped = publicEncrypt({ key, ...OAEP }, aesKey).toString('latin1');
    const proofs = Array.from({ length: workers }, () => this.#piscina.run([wrapped]));
    for (const { aesKeys } of await this.#withTimeout(START_TIMEOUT_MS, Promise.all(proofs))) {
      if (aesKeys[0] !== aesKey.toString('latin1')) throw new Error('a worker unwrapped a key wrongly');
    }
  }

  /** Piscina lets a task hang for ever when its worker cannot start: nothing here waits without an end. */
  #withTimeout<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => reject(new Error('the worker did not answer')));
      work.then(resolve, reject).finally(cancel);
    });
  }
}
