/** Path 2: what Meta delivers, how soon it is acknowledged, and what becomes of it in the inbox. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type InboxStats, ITEM_STATES } from '../webhooks/inbox.ts';
import type { Outcome } from './flow-metrics.ts';

/** Edges on what Meta asks of a webhook: a median of 250 ms, fewer than one in a hundred above 1 s. */
const ACKNOWLEDGEMENT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const COMMIT_CALLS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const ATTEMPT_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 30, 60, 300];
/** Meta's timestamps are whole seconds, so 1 and 2 are as good as at once. */
const FORWARDING_SECONDS = [1, 2, 3, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400];

/** `lost`: the inbox gave the item to another worker before the attempt ended, or did not take how it ended. */
export type AttemptOutcome = 'done' | 'unhandled' | 'retry' | 'dead' | 'lost';

export interface WebhookMetrics {
  webhook(outcome: Outcome, durationMs: number): void;
  webhookEvent(type: string, outcome: 'stored' | 'duplicate'): void;
  /** From Meta's own timestamp to the arrival here. */
  forwardingDelay(kind: 'message' | 'status', flow: string, delayMs: number): void;
  /** @param type an event type, or `job.` and the name of a job. */
  attempt(type: string, outcome: AttemptOutcome, durationMs: number): void;
  /** One transaction of the embedded inbox. */
  inboxCommit(calls: number, durationMs: number): void;
  /** Called at each scrape; what cannot be read then is left out of it. */
  inboxFrom(read: () => Promise<InboxStats>): void;
}

export function createWebhookMetrics(registry: Registry): WebhookMetrics {
  const registers = [registry];
  const webhookSeconds = new Histogram({
    name: 'flowgate_webhook_duration_seconds',
    help: 'From the arrival of a webhook delivery to its acknowledgement or refusal.',
    labelNames: ['outcome'],
    buckets: ACKNOWLEDGEMENT_SECONDS,
    registers,
  });
  const webhookEvents = new Counter({
    name: 'flowgate_webhook_events_total',
    help: 'Events in acknowledged deliveries, stored or recognised as delivered before.',
    labelNames: ['type', 'outcome'],
    registers,
  });
  const forwardingSeconds = new Histogram({
    name: 'flowgate_webhook_forwarding_delay_seconds',
    help: 'From the time Meta gives a message or a status to its arrival here; flow is the Flow it completes, or none.',
    labelNames: ['kind', 'flow'],
    buckets: FORWARDING_SECONDS,
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'flowgate_inbox_attempt_duration_seconds',
    help: 'One attempt at an event or a job, from its claim until the inbox knows how it ended.',
    labelNames: ['type', 'outcome'],
    buckets: ATTEMPT_SECONDS,
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'flowgate_inbox_commit_seconds',
    help: 'One transaction of the embedded inbox, with its sync to the disk.',
    buckets: COMMIT_SECONDS,
    registers,
  });
  const commitCalls = new Histogram({
    name: 'flowgate_inbox_commit_calls',
    help: 'Calls that shared one transaction of the embedded inbox.',
    buckets: COMMIT_CALLS,
    registers,
  });
  return {
    webhook: (outcome, durationMs) => webhookSeconds.observe({ outcome }, durationMs / 1000),
    webhookEvent: (type, outcome) => webhookEvents.inc({ type, outcome }),
    forwardingDelay: (kind, flow, delayMs) => forwardingSeconds.observe({ kind, flow }, Math.max(0, delayMs) / 1000),
    attempt: (type, outcome, durationMs) => attemptSeconds.observe({ type, outcome }, durationMs / 1000),
    inboxCommit(calls, durationMs) {
      commitCalls.observe(calls);
      commitSeconds.observe(durationMs / 1000);
    },
    inboxFrom: (read) => inboxGauges(registers, read),
  };
}

/** Two gauges from one reading of the store; what cannot be read is left out of the scrape. */
function inboxGauges(registers: Registry[], read: () => Promise<InboxStats>): void {
  let reading: Promise<InboxStats | undefined> | undefined;
  const readOnce = () => {
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  new Gauge({
    name: 'flowgate_inbox_oldest_due_seconds',
    help: 'How long the item that is due the longest has waited to be handled.',
    registers,
    async collect() {
      const stats = await readOnce();
      this.reset();
      if (stats) this.set(stats.oldestDueMs / 1000);
    },
  });
  new Gauge({
    name: 'flowgate_inbox_items',
    help: 'Items in the inbox by state; done ones are ids kept to recognise duplicates.',
    labelNames: ['state'],
    registers,
    async collect() {
      const stats = await readOnce();
      this.reset();
      if (stats) for (const state of ITEM_STATES) this.set({ state }, stats[state]);
    },
  });
}
