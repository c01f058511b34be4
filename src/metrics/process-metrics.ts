/** The process: the usual metrics of Node, the delay of its event loop, and which HTTP server it runs. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { HttpServerName } from '../http/server.ts';

/** How often the event loop is probed; the histogram counts this interval into every value. */
const LOOP_PROBE_MS = 5;

export interface ProcessMetrics {
  httpServer(name: HttpServerName, isFallback: boolean): void;
}

export function createProcessMetrics(registry: Registry): ProcessMetrics {
  collectDefaultMetrics({ register: registry });
  eventLoopDelay(registry);
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
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const delayMs = histogram.percentile(quantile * 100) / 1e6 - LOOP_PROBE_MS;
        this.set({ quantile: String(quantile) }, Math.max(0, delayMs) / 1000);
      }
      histogram.reset();
    },
  });
}
