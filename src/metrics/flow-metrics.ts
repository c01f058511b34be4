/** Path 1: what people who wait for a screen get, and how soon. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { type SampledGauge, sampledGauge } from './sampled-gauge.ts';

/** Edges on Meta's latency alerts (1, 5, 7 s) and its timeout (10 s). */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 10];

/** What a handler may take is most of what a user waits; 0.5 s is where `flowgate_handler_slow_total` begins to count. */
const HANDLER_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 5, 8];
/** Meta takes up to 1 MB. */
const RESPONSE_BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/** A handler that takes longer is counted, and named in the log. */
export const SLOW_HANDLER_MS = 500;

/** Tenants with a series of their own, first come, first served; what others do is counted as `other`. */
export const MAX_TENANT_LABELS = 100;

/** How a request ended: `ok`, or the code of its error in lower case. */
export type Outcome = string;

export interface FlowMetrics {
  /**
   * @param action `INIT`, `BACK`, `data_exchange`, `ping`, `error`, or `none` when it was never decrypted.
   * @param tenant undefined: no label, as for all requests where there are no tenants.
   */
  flowRequest(flow: string, action: string, outcome: Outcome, durationMs: number, tenant?: string): void;
  clientError(flow: string, key: string): void;
  /** The plaintext of an answer. */
  response(flow: string, bytes: number): void;
  /** @param step the screen whose handler ran, or `INIT`. */
  handler(flow: string, step: string, durationMs: number, tenant?: string): void;
  readonly replyMemoryBytes: SampledGauge;
}

export function createFlowMetrics(registry: Registry): FlowMetrics {
  const registers = [registry];
  const labelled = createTenantLabels();
  const requestSeconds = new Histogram({
    name: 'flowgate_flow_request_duration_seconds',
    help: 'From the arrival of a Flow request to its answer.',
    labelNames: ['flow', 'action', 'outcome', 'tenant'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const clientErrors = new Counter({
    name: 'flowgate_flow_client_errors_total',
    help: 'Errors that clients reported about an answer they could not use.',
    labelNames: ['flow', 'key'],
    registers,
  });
  const responseBytes = new Histogram({
    name: 'flowgate_flow_response_bytes',
    help: 'Size of an answer before it is sealed.',
    labelNames: ['flow'],
    buckets: RESPONSE_BYTES,
    registers,
  });
  const handlerSeconds = new Histogram({
    name: 'flowgate_handler_duration_seconds',
    help: 'Time in a handler of the app; screen is the one submitted or left, or INIT.',
    labelNames: ['flow', 'screen', 'tenant'],
    buckets: HANDLER_SECONDS,
    registers,
  });
  const slowHandlers = new Counter({
    name: 'flowgate_handler_slow_total',
    help: 'Handlers that took longer than 500 ms.',
    labelNames: ['flow', 'screen'],
    registers,
  });
  return {
    flowRequest: (flow, action, outcome, durationMs, tenant) =>
      requestSeconds.observe(labelled({ flow, action, outcome }, tenant), durationMs / 1000),
    clientError: (flow, key) => clientErrors.inc({ flow, key }),
    response: (flow, bytes) => responseBytes.observe({ flow }, bytes),
    handler(flow, screen, durationMs, tenant) {
      handlerSeconds.observe(labelled({ flow, screen }, tenant), durationMs / 1000);
      if (durationMs > SLOW_HANDLER_MS) slowHandlers.inc({ flow, screen });
    },
    replyMemoryBytes: sampledGauge(
      registry,
      'flowgate_reply_memory_bytes',
      'Ciphertext kept to answer a repeated body alike.',
    ),
  };
}

function createTenantLabels(): <L extends object>(labels: L, tenant: string | undefined) => L {
  const known = new Set<string>();
  return (labels, tenant) => {
    if (tenant === undefined) return labels;
    if (known.size < MAX_TENANT_LABELS) known.add(tenant);
    return { ...labels, tenant: known.has(tenant) ? tenant : 'other' };
  };
}
