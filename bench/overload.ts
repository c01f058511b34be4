/**
 * What do users get when more of them come than the server can serve?
 *
 * How to read it: a closed loop first finds the capacity; then requests come at a fixed rate, whether answered or not.
 * Goodput is right answers in time per second. A good server keeps it near the capacity and refuses the rest at once
 * (503, "shed"); a bad one makes everybody wait until nobody is answered in time. "Sent late" is the generator's own
 * delay: it counts into every latency, and where it is large the row says more about the generator.
 */
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { createBookingStock } from './support/booking-load.ts';
import { runBurst } from './support/burst.ts';
import { BenchChild } from './support/child.ts';
import { runClosedLoop } from './support/closed-loop.ts';
import { sharedCores, splitCores } from './support/cores.ts';
import { measureRawUnwrapMicros } from './support/raw-cost.ts';
import { MAX_STOCK } from './support/request-stock.ts';
import { CAPACITY_ROW } from './support/row-labels.ts';
import { stockSize } from './support/stock-size.ts';
import { judge, TARGETS } from './support/targets.ts';

/**
 * `apart` pins the server to all cores but one and the generator to that one, where `taskset` is there. On shared cores
 * the generator of a fivefold overload takes most of one, and what is missing then is not the server's fault.
 */
const CORES: 'apart' | 'shared' = 'apart';
const LOADS = [0.5, 1, 2, 5];
const COLUMNS = [
  ...(['offeredPerSec', 'goodputPerSec', 'goodputShare', 'shedShare', 'p50Ms', 'p99Ms', 'late', 'failures'] as const),
  ...(['latenessP99Ms', 'rssMb', 'recoveryMs'] as const),
] as const;

export const bench: Bench = {
  name: 'overload',
  question: 'What do users get when more of them come than the server can serve?',
  async run(context) {
    const { scale, progress } = context;
    progress.begin(scale.rounds * (1 + LOADS.length));
    using cores = CORES === 'apart' ? splitCores() : sharedCores();
    const samples = new Samples();
    const notes: string[] = [];
    let description = '';
    for (let round = 0; round < scale.rounds; round++) {
      cores.useServerCores();
      await using server = await BenchChild.start('flowgate', context.credentials);
      cores.useGeneratorCore();
      description = server.description;
      notes.push(...(await overloadOnce(server, context, samples)));
    }
    return {
      setup: `${description}; ${cores.description}`,
      tables: [samples.table('load', COLUMNS)],
      verdicts: [
        ...judge(TARGETS.goodputAtTwice, samples.median(loadLabel(2))),
        ...judge(TARGETS.goodputAtFiveTimes, samples.median(loadLabel(5))),
        ...judge(TARGETS.late, { late: samples.max('late') }),
      ],
      notes,
    };
  },
};

async function overloadOnce(server: BenchChild, context: BenchContext, samples: Samples): Promise<string[]> {
  const { scale, credentials, progress } = context;
  const stock = createBookingStock(credentials);
  progress.step('capacity');
  const rawMicros = await measureRawUnwrapMicros(credentials, scale.rawMs);
  stock.fill(stockSize(scale, scale.crowd, rawMicros));
  const closed = await runClosedLoop(server, { ...scale, connections: scale.crowd, stock });
  const capacityPerSec = closed.requestsPerSec;
  samples.add(CAPACITY_ROW, { ...closed, goodputPerSec: capacityPerSec, goodputShare: 1 });
  const notes: string[] = [];
  for (const load of LOADS) {
    const label = loadLabel(load);
    progress.step(label);
    const ratePerSec = load * capacityPerSec;
    const durationMs = Math.min(scale.burstMs, (MAX_STOCK / ratePerSec) * 1_000);
    const burst = await runBurst(server, { ratePerSec, durationMs, stock });
    samples.add(label, { ...burst.figures, goodputShare: burst.figures.goodputPerSec / capacityPerSec });
    notes.push(...burst.notes.map((note) => `${label}: ${note}`));
    if (durationMs < scale.burstMs)
      notes.push(`${label}: shortened to ${formatCount(Math.round(durationMs))} ms, for memory's sake`);
  }
  return notes;
}

function loadLabel(load: number): string {
  return `${load} x capacity`;
}
