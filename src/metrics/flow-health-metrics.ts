/** Flow health as Meta sees it, told by its `flows` webhooks. What this process has not heard of since its start is absent. */
import { Gauge, type Registry } from 'prom-client';
import type { FlowAlertEvent } from '../webhooks/events.ts';

export interface FlowHealthMetrics {
  flowHealth(event: FlowAlertEvent): void;
}

/** Ids come from outside: a business has tens of Flows, and labels stay few whatever comes. */
const MAX_FLOWS = 200;

export function createFlowHealthMetrics(registry: Registry): FlowHealthMetrics {
  const registers = [registry];
  const alerts = new Gauge({
    name: 'flowgate_meta_flow_alert',
    help: 'Whether an alert of Meta about a Flow is active (1) or over (0), by its threshold.',
    labelNames: ['flow_id', 'alert', 'threshold'],
    registers,
  });
  const values = new Gauge({
    name: 'flowgate_meta_flow_alert_value',
    help: 'What the last alert said: the p90 latency in milliseconds, the error rate or the availability in percent.',
    labelNames: ['flow_id', 'alert'],
    registers,
  });
  const statuses = new Gauge({
    name: 'flowgate_meta_flow_status',
    help: 'The status Meta last gave a Flow (1), and those it had before (0).',
    labelNames: ['flow_id', 'status'],
    registers,
  });
  /** When each series was last told, by Meta's clock: webhooks come out of order, and an older one says nothing new. */
  const toldAtMs = new Map<string, number>();
  const flows = new Set<string>();
  const statusOf = new Map<string, string>();

  const isNews = (series: string, atMs: number) => {
    if (atMs < (toldAtMs.get(series) ?? 0)) return false;
    toldAtMs.set(series, atMs);
    return true;
  };

  return {
    flowHealth({ type, flowId, alertState, value, threshold, newStatus, sentAtMs, receivedAtMs }) {
      if (flowId === undefined || (!flows.has(flowId) && flows.size >= MAX_FLOWS)) return;
      flows.add(flowId);
      const atMs = sentAtMs ?? receivedAtMs;
      const alert = type.slice('flow.'.length);
      const of = { flow_id: flowId };
      if (newStatus !== undefined && KNOWN_STATUSES.has(newStatus) && isNews(`${flowId} status`, atMs)) {
        const before = statusOf.get(flowId);
        if (before !== undefined) statuses.set({ ...of, status: before }, 0);
        statuses.set({ ...of, status: newStatus }, 1);
        statusOf.set(flowId, newStatus);
      }
      if (alertState === undefined || !isNews(`${flowId} ${alert} ${threshold}`, atMs)) return;
      alerts.set({ ...of, alert, threshold: String(threshold ?? '') }, alertState === 'ACTIVATED' ? 1 : 0);
      if (value !== undefined) values.set({ ...of, alert }, value);
    },
  };
}

const KNOWN_STATUSES: ReadonlySet<string> = new Set(['DRAFT', 'PUBLISHED', 'DEPRECATED', 'BLOCKED', 'THROTTLED']);
