/**
 * What do the metrics of one request cost?
 *
 * How to read it: CPU of exactly the calls a request makes, with the label values of a service with four Flows of five
 * screens, and nothing around them; a batch of 16 requests shares one batch call. The scrape, every 15 s or so, is a row
 * of its own: it blocks the loop for as long.
 */
import { setImmediate } from 'node:timers/promises';
import { createMetrics, type Metrics } from '../dist/metrics/registry.js';
import { type Bench, Samples } from './support/bench.ts';
import { BenchError } from './support/bench-error.ts';
import { judge, TARGETS } from './support/targets.ts';

const FLOWS = ['booking', 'signup', 'survey', 'support'];
const SCREENS = ['PICK', 'DETAILS', 'SUMMARY', 'TERMS', 'DONE'];
const KEYS = ['0123456789abcdef'];
const BATCH = 16;
/** Between two looks at the clock. */
const ROUND = 50 * BATCH;
const FLOW_ROW = 'Flow request';
const WEBHOOK_ROW = 'webhook event, taken in and handled';

export const bench: Bench = {
  name: 'metrics-cost',
  question: 'What do the metrics of one request cost?',
  async run({ scale, progress }) {
    progress.begin(scale.rounds * 3);
    const samples = new Samples();
    for (let round = 0; round < scale.rounds; round++) {
      const metrics = createMetrics();
      progress.step(FLOW_ROW);
      samples.add(FLOW_ROW, { cpuMicros: await measure(scale.rawMs, (i) => observeFlow(metrics, i)) });
      progress.step(WEBHOOK_ROW);
      samples.add(WEBHOOK_ROW, { cpuMicros: await measure(scale.rawMs, (i) => observeWebhook(metrics, i)) });
      progress.step('scrape');
      samples.add('scrape', { cpuMicros: await measureScrape(metrics) });
    }
    return {
      setup: 'one thread, no server',
      tables: [samples.table('what is measured', ['cpuMicros'])],
      verdicts: judge(TARGETS.metrics, samples.median(FLOW_ROW)),
      notes: [],
    };
  },
};

/** As `endpoint.ts`, `dispatch.ts` and `decrypt-pool.ts` do for a request that is answered. */
function observeFlow(metrics: Metrics, i: number): void {
  const flow = FLOWS[i % FLOWS.length] as string;
  const ms = (i % 997) / 3;
  if (i % BATCH === 0) {
    metrics.decryptBatch(BATCH, ms);
    metrics.keyHits(KEYS, [BATCH]);
  }
  metrics.queueWait(ms);
  metrics.handler(flow, SCREENS[i % SCREENS.length] as string, ms);
  metrics.response(flow, 500 + i);
  metrics.flowRequest(flow, 'data_exchange', 'ok', ms);
}

/** As `webhooks/endpoint.ts` and `attempt.ts` do for a delivery of one event. */
function observeWebhook(metrics: Metrics, i: number): void {
  const ms = (i % 997) / 3;
  metrics.webhookEvent('message.text', 'stored');
  metrics.forwardingDelay('message', 'none', ms);
  metrics.webhook('ok', ms);
  metrics.attempt('message.text', 'done', ms);
}

/** @returns microseconds of CPU for one call of `observe`. */
async function measure(durationMs: number, observe: (i: number) => void): Promise<number> {
  for (let i = 0; i < ROUND; i++) observe(i);
  const before = process.cpuUsage();
  const endMs = performance.now() + durationMs;
  let observed = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < ROUND; i++) observe(i);
    observed += ROUND;
    await setImmediate(); // lets the progress bar move and Ctrl-C be heard
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / observed;
}

/** @returns microseconds of CPU for one scrape of what the rows before left behind. */
async function measureScrape(metrics: Metrics): Promise<number> {
  const text = await metrics.render();
  if (!text.includes('flow="support"')) throw new BenchError('the scrape lacks what was observed');
  const scrapes = 5;
  const before = process.cpuUsage();
  for (let i = 0; i < scrapes; i++) await metrics.render();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / scrapes;
}
