/** What is sent to Meta: what it refused for now, and what had to wait for its turn. */
import { Counter, Histogram, type Registry } from 'prom-client';

const TURN_SECONDS = [0.05, 0.1, 0.5, 1, 2, 5, 10, 20];

export interface GraphMetrics {
  /** A call that failed and is made again. @param reason Meta's code, or how the call failed where it gave none. */
  graphRetry(reason: string): void;
  /** A message that had to wait before it was sent. */
  graphTurn(waitedMs: number): void;
}

export function createGraphMetrics(registry: Registry): GraphMetrics {
  const registers = [registry];
  const retries = new Counter({
    name: 'flowgate_graph_retries_total',
    help: 'Calls to the Graph API that failed and were made again.',
    labelNames: ['reason'],
    registers,
  });
  const turnSeconds = new Histogram({
    name: 'flowgate_graph_turn_wait_seconds',
    help: 'How long messages waited for their turn, of those that had to.',
    buckets: TURN_SECONDS,
    registers,
  });
  return {
    graphRetry: (reason) => retries.inc({ reason }),
    graphTurn: (waitedMs) => turnSeconds.observe(waitedMs / 1000),
  };
}
