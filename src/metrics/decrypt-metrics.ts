/** The decrypt path: the queue, the batches and the workers. Workers return their timings; the main thread observes them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type SampledGauge, sampledGauge } from './sampled-gauge.ts';

const QUEUE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10];
const RSA_SECONDS = [0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32];

/** Refused at the door, or admitted and then kept waiting until the deadline. */
export type ShedReason = 'queue_full' | 'expired';

export interface DecryptMetrics {
  decryptBatch(size: number, busyMs: number): void;
  decryptRetried(jobs: number): void;
  queueWait(waitMs: number): void;
  shed(reason: ShedReason): void;
  readonly decryptQueueLength: SampledGauge;
  readonly decryptWorkers: { set(workers: number): void };
}

export function createDecryptMetrics(registry: Registry): DecryptMetrics {
  const registers = [registry];
  const batchSize = new Histogram({
    name: 'flowgate_decrypt_batch_size',
    help: 'Requests that crossed to a decrypt worker together.',
    buckets: BATCH_SIZES,
    registers,
  });
  const rsaSeconds = new Histogram({
    name: 'flowgate_decrypt_rsa_seconds',
    help: 'Time in RSA for one request: the mean of its batch.',
    buckets: RSA_SECONDS,
    registers,
  });
  const queueSeconds = new Histogram({
    name: 'flowgate_decrypt_queue_seconds',
    help: 'Wait of a request in the decrypt queue.',
    buckets: QUEUE_SECONDS,
    registers,
  });
  const retried = new Counter({
    name: 'flowgate_decrypt_retried_total',
    help: 'Requests decrypted again because their worker died.',
    registers,
  });
  const sheds = new Counter({
    name: 'flowgate_shed_total',
    help: 'Requests refused with 503 because an answer could not be in time.',
    labelNames: ['reason'],
    registers,
  });
  const workers = new Gauge({ name: 'flowgate_decrypt_workers', help: 'Decrypt worker threads.', registers });
  return {
    decryptBatch(size, busyMs) {
      batchSize.observe(size);
      rsaSeconds.observe(busyMs / 1000 / size);
    },
    decryptRetried: (jobs) => retried.inc(jobs),
    queueWait: (waitMs) => queueSeconds.observe(waitMs / 1000),
    shed: (reason) => sheds.inc({ reason }),
    decryptQueueLength: sampledGauge(
      registry,
      'flowgate_decrypt_queue_length',
      'Requests waiting for a decrypt worker.',
    ),
    decryptWorkers: { set: (count) => workers.set(count) },
  };
}
