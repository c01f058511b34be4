/**
 * Every metric Flowgate exports, and one function for each event that moves them.
 *
 * Names start with `flowgate_`, units are seconds and bytes, labels take few values: never a token, a phone number or
 * an id. `grafana/README.md` tells the question each one answers.
 */
import { Registry } from 'prom-client';
import { type AnswerMetrics, createAnswerMetrics } from './answer-metrics.ts';
import { type CacheMetrics, createCacheMetrics } from './cache-metrics.ts';
import { createDecryptMetrics, type DecryptMetrics } from './decrypt-metrics.ts';
import { createFlowHealthMetrics, type FlowHealthMetrics } from './flow-health-metrics.ts';
import { createFlowMetrics, type FlowMetrics } from './flow-metrics.ts';
import { createGraphMetrics, type GraphMetrics } from './graph-metrics.ts';
import { createKeyMetrics, type KeyMetrics } from './key-metrics.ts';
import { createProcessMetrics, type ProcessMetrics } from './process-metrics.ts';
import { createTlsMetrics, type TlsMetrics } from './tls-metrics.ts';
import { createWebhookMetrics, type WebhookMetrics } from './webhook-metrics.ts';

export interface Metrics
  extends FlowMetrics,
    FlowHealthMetrics,
    AnswerMetrics,
    CacheMetrics,
    GraphMetrics,
    DecryptMetrics,
    KeyMetrics,
    WebhookMetrics,
    TlsMetrics,
    ProcessMetrics {
  readonly contentType: string;
  /** The Prometheus text of everything. 4-7 ms of blocking work: for the admin port only. */
  render(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    ...createProcessMetrics(registry),
    ...createFlowMetrics(registry),
    ...createFlowHealthMetrics(registry),
    ...createAnswerMetrics(registry),
    ...createCacheMetrics(registry),
    ...createGraphMetrics(registry),
    ...createDecryptMetrics(registry),
    ...createKeyMetrics(registry),
    ...createWebhookMetrics(registry),
    ...createTlsMetrics(registry),
  };
}
