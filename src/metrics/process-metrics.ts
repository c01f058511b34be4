/** The process: the usual metrics of Node, the delay of its event loop, and which HTTP server it runs. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { HttpServerName } from '../http/server.ts';

/** How often the event loop is probed; the histogram counts this interval into every value. */
const LOOP_PROBE_MS = 5;

/** Gauges of prom-client that are named like counters; the same is told by `nodejs_active_resources` and its kin, by type. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export interface ProcessMetrics {
  httpServer(name: HttpServerName, isFallback: boolean): void;
}

export function createProcessMetrics(registry: Registry): ProcessMetrics {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  eventLoopDelay(registry);
  eventLoopUtilization(registry);
  const httpServer = new Gauge({
    name: 'flowgate_http_server_info',
    help: 'The HTTP server in use (always 1); fallback is true when uWebSockets.js was wanted and could not load.',
    labelNames: ['server', 'fallback'],
    registers: [registry],
  });
  return { httpServer: (server, isFallback) => httpServer.set({ server, fallback: String(isFallback) }, 1) };
}

/** Delay of the event loop since the last scrape, without the probe's own interval (which Node counts in). */
function eventLoopDelay(registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_PROBE_MS });
  histogram.enable();
  new Gauge({
    name: 'flowgate_event_loop_delay_seconds',
    help: 'How late the event loop ran its timers since the last scrape.',
    labelNames: ['percentile'],
    registers: [registry],
    collect() {
      for (const percentile of [50, 99, 100]) {
        const delayMs = histogram.percentile(percentile) / 1e6 - LOOP_PROBE_MS;
        this.set({ percentile }, Math.max(0, delayMs) / 1000);
      }
      histogram.reset();
    },
  });
}

/** Share of the time since the last scrape in which the event loop had something to do. */
function eventLoopUtilization(registry: Registry): void {
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'flowgate_event_loop_utilization_ratio',
    help: 'Share of the time since the last scrape in which the event loop was busy, 0 to 1.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}
