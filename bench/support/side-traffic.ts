/** Requests beside the crowd's: what a load balancer, Meta's health check and a webhook send. */
import { systemClock } from '../../dist/clock.js';
import { ArrivalSchedule, sendOnSchedule } from './arrivals.ts';
import { BenchError } from './bench-error.ts';
import { BOOKING_PATH } from './booking-load.ts';
import { ConnectionPool, type Ticket, type TicketOwner } from './connection-pool.ts';
import type { Credentials } from './credentials.ts';
import { type Load, RequestStock, requestBytes, sealedRequests } from './request-stock.ts';
import type { ResponseParser } from './response-parser.ts';
import { Durations } from './statistics.ts';
import type { DeliveryLoad } from './webhook-load.ts';

const PER_SEC = 50;
/** More than ever wait at a time: a ping answered within a second needs 50. */
const MAX_CONNECTIONS = 200;

export interface SideTraffic extends Load {
  readonly label: string;
}

export const HEALTH: SideTraffic = {
  label: 'GET /healthz',
  next: () => ({ bytes: requestBytes('GET', '/healthz'), open: undefined }),
  mistakeIn: (status, body) =>
    status === 200 && body() === 'ok' ? undefined : `/healthz answered ${status} ${body()}`,
};

/** Acknowledged once it is on the disk, by the store's own thread. */
export function webhookDeliveries(deliveries: DeliveryLoad): SideTraffic {
  return {
    label: 'webhook delivery',
    next: () => deliveries.next(),
    mistakeIn: (status) => deliveries.mistakeIn(status),
  };
}

/** Encrypted like any request, so it waits for its turn in the decrypt queue. */
export function flowPing(credentials: Credentials): SideTraffic {
  const stock = new RequestStock(sealedRequests(credentials, BOOKING_PATH, { version: '3.0', action: 'ping' }));
  return {
    label: 'Flow ping',
    next: () => stock.next(),
    mistakeIn(status, body, { open }) {
      if (status !== 200) return `a ping was answered ${status}`;
      const answer = open?.(body()) as { data?: { status?: string } } | undefined;
      return !open || answer?.data?.status === 'active' ? undefined : 'the answer to a ping does not say active';
    },
  };
}

/** Sends one kind of side traffic at a steady rate, answered or not. Rejects with a BenchError on a wrong answer. */
export async function measureSideTraffic(
  port: number,
  kind: SideTraffic,
  durationMs: number,
): Promise<{ latencies: Durations; lateness: Durations }> {
  const tally = new SideTally(kind);
  using pool = new ConnectionPool(port, tally, MAX_CONNECTIONS);
  const schedule = new ArrivalSchedule({ ratePerSec: PER_SEC, durationMs });
  await sendOnSchedule(schedule, systemClock, (dueMs) => pool.send({ dueMs, request: kind.next() }));
  await pool.settled();
  if (tally.mistake !== undefined) throw new BenchError(tally.mistake);
  return { latencies: tally.latencies, lateness: pool.lateness };
}

class SideTally implements TicketOwner {
  readonly latencies = new Durations();
  mistake: string | undefined;
  readonly #kind: SideTraffic;

  constructor(kind: SideTraffic) {
    this.#kind = kind;
  }

  answered({ request }: Ticket, response: ResponseParser, latencyMs: number): void {
    this.latencies.add(latencyMs);
    this.mistake ??= this.#kind.mistakeIn(response.status, () => response.body(), request);
  }

  failed(_: Ticket, reason: string): void {
    this.mistake ??= `${this.#kind.label}: ${reason}`;
  }
}
