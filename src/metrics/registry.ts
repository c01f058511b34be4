/**
 * Every metric Flowgate exports, and one function for each event that moves them.
 *
 * Names start with `flowgate_`, units are seconds and bytes, labels take few values: never a token, a phone number or
 * an id. Worker threads return their timings and the main thread observes them, so nothing is lost with a thread.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpServerName } from '../http/server.ts';

/** Edges on Meta's latency alerts (1, 5, 7 s) and its timeout (10 s). */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 10];
const QUEUE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10];
const RSA_SECONDS = [0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32];
/** How often the event loop is probed; the histogram counts this interval into every value. */
const LOOP_PROBE_MS = 5;

/** How a Flow request ended: `ok`, or the code of its error in lower case. */
export type Outcome = string;
/** Refused at the door, dropped for newer ones, or waited until the deadline. */
export type ShedReason = 'queue_full' | 'crowded_out' | 'expired';

/** A gauge that is read when scraped. */
export interface SampledGauge {
  collectFrom(read: () => number): void;
}

export interface Metrics {
  readonly contentType: string;
  /** The Prometheus text of everything. 4-7 ms of blocking work: for the admin port only. */
  render(): Promise<string>;
  httpServer(name: HttpServerName, isFallback: boolean): void;
  /** @param action `INIT`, `BACK`, `data_exchange`, `ping`, `error`, or `none` when it was never decrypted. */
  flowRequest(flow: string, action: string, outcome: Outcome, durationMs: number): void;
  clientError(flow: string, key: string): void;
  decryptBatch(size: number, busyMs: number): void;
  decryptRetried(jobs: number): void;
  queueWait(waitMs: number): void;
  shed(reason: ShedReason): void;
  readonly decryptQueueLength: SampledGauge;
  readonly decryptWorkers: { set(workers: number): void };
  readonly replyMemoryBytes: SampledGauge;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  eventLoopDelay(registers);

  const httpServer = new Gauge({
    name: 'flowgate_http_server_info',
    help: 'The HTTP server in use (always 1); fallback is true when uWebSockets.js was wanted and could not load.',
    labelNames: ['server', 'fallback'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'flowgate_flow_request_duration_seconds',
    help: 'From the arrival of a Flow request to its answer.',
    labelNames: ['flow', 'action', 'outcome'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const clientErrors = new Counter({
    name: 'flowgate_flow_client_errors_total',
    help: 'Errors that clients reported about an answer they could not use.',
    labelNames: ['flow', 'key'],
    registers,
  });
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
  const workers = new Gauge({
    name: 'flowgate_decrypt_workers',
    help: 'Decrypt worker threads.',
    registers,
  });

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    httpServer: (server, isFallback) => httpServer.set({ server, fallback: String(isFallback) }, 1),
    flowRequest: (flow, action, outcome, durationMs) =>
      requestSeconds.observe({ flow, action, outcome }, durationMs / 1000),
    clientError: (flow, key) => clientErrors.inc({ flow, key }),
    decryptBatch(size, busyMs) {
      batchSize.observe(size);
      rsaSeconds.observe(busyMs / 1000 / size);
    },
    decryptRetried: (jobs) => retried.inc(jobs),
    queueWait: (waitMs) => queueSeconds.observe(waitMs / 1000),
    shed: (reason) => sheds.inc({ reason }),
    decryptWorkers: { set: (count) => workers.set(count) },
    decryptQueueLength: sampledGauge(
      'flowgate_decrypt_queue_length',
      'Requests waiting for a decrypt worker.',
      registers,
    ),
    replyMemoryBytes: sampledGauge(
      'flowgate_reply_memory_bytes',
      'Ciphertext kept to answer a repeated body alike.',
      registers,
    ),
  };
}

function sampledGauge(name: string, help: string, registers: Registry[]): SampledGauge {
  let read = () => 0;
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
  return {
    collectFrom(source) {
      read = source;
    },
  };
}

/** Delay of the event loop since the last scrape, without the probe's own interval (which Node counts in). */
function eventLoopDelay(registers: Registry[]): void {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_PROBE_MS });
  histogram.enable();
  new Gauge({
    name: 'flowgate_event_loop_delay_seconds',
    help: 'How late the event loop ran its timers since the last scrape.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const delayMs = histogram.percentile(quantile * 100) / 1e6 - LOOP_PROBE_MS;
        this.set({ quantile: String(quantile) }, Math.max(0, delayMs) / 1000);
      }
      histogram.reset();
    },
  });
}
