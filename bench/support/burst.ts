/**
 * An open-loop burst of bookings, and how soon the server is itself again.
 *
 * Goodput is what users get out of a server: answers that are right and in time, per second of the burst.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../dist/clock.js';
import { ArrivalSchedule, sendOnSchedule } from './arrivals.ts';
import { BenchError } from './bench-error.ts';
import { BurstTally } from './burst-tally.ts';
import type { MeasuredServer } from './closed-loop.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Figures } from './figures.ts';
import { Probe } from './probe.ts';
import type { RequestStock } from './request-stock.ts';

/** From here on the latencies of a row tell more about the generator than about the server. */
const TOO_LATE_MS = 500;
const RECOVERED_MS = 50;
const RECOVERY_TIMEOUT_MS = 30_000;
const PROBE_PAUSE_MS = 20;

export interface BurstOptions {
  readonly ratePerSec: number;
  readonly durationMs: number;
  readonly stock: RequestStock;
}

export interface Burst {
  readonly figures: Figures & { readonly goodputPerSec: number };
  /** What a reader must know: failures, and where the generator fell short. */
  readonly notes: readonly string[];
}

/** Rejects with a BenchError on a wrong answer. Refusals, failures and late answers are what it measures. */
export async function runBurst(
  server: MeasuredServer,
  { ratePerSec, durationMs, stock }: BurstOptions,
): Promise<Burst> {
  const schedule = new ArrivalSchedule({ ratePerSec, durationMs });
  stock.fill(schedule.count);
  const tally = new BurstTally();
  using pool = new ConnectionPool(server.port, tally);
  await server.measure();
  const startedMs = performance.now();
  await sendOnSchedule(schedule, systemClock, (dueMs) => pool.send({ dueMs, request: stock.next() }));
  const seconds = (performance.now() - startedMs) / 1_000;
  tally.end();
  const unsent = pool.dropUnsent();
  const recovering = measureRecovery(server.port, stock);
  const [{ rssBytes }, recoveryMs] = await Promise.all([server.measure(), recovering, pool.settled()]);
  if (tally.mistake !== undefined) throw new BenchError(tally.mistake);

  const latenessP99Ms = pool.lateness.percentile(0.99);
  const { accepted, good, shed, late, failures, firstFailure } = tally;
  const figures = {
    offeredPerSec: schedule.count / seconds,
    goodputPerSec: good / seconds,
    shedPerSec: shed / seconds,
    shedShare: shed / schedule.count,
    ...(accepted.count > 0 && { p50Ms: accepted.percentile(0.5), p99Ms: accepted.percentile(0.99) }),
    late,
    failures: failures + unsent,
    latenessP99Ms,
    rssMb: rssBytes / 1e6,
    recoveryMs,
  };
  const notes = [
    failures > 0 && `${failures} requests failed, the first because ${firstFailure}`,
    pool.waited > 0 &&
      `${pool.waited} requests waited for a connection, ${unsent} in vain: raise the limit of open files`,
    latenessP99Ms > TOO_LATE_MS && 'the generator could not keep its schedule: too few cores for both',
  ];
  return { figures, notes: notes.filter((note) => note !== false) };
}

/** @returns milliseconds from now until a lone request is answered as fast as on an idle server. */
async function measureRecovery(port: number, stock: RequestStock): Promise<number> {
  const startedMs = performance.now();
  using probe = new Probe(port);
  for (;;) {
    const request = stock.next();
    const answer = await probe.send(request).catch(() => undefined);
    const elapsedMs = performance.now() - startedMs;
    if (answer?.status === 200 && answer.latencyMs < RECOVERED_MS) return elapsedMs;
    if (elapsedMs > RECOVERY_TIMEOUT_MS) throw new BenchError('the server did not recover from the burst');
    await sleep(PROBE_PAUSE_MS);
  }
}
