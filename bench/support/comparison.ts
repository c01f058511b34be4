/** A bench that puts the same load on Flowgate and on another way to build it, in turns on one machine. */
import { type Bench, type BenchContext, formatCount, type Report, Samples } from './bench.ts';
import { createBookingStock } from './booking-load.ts';
import { BenchChild } from './child.ts';
import { type ClosedLoopFigures, runClosedLoop } from './closed-loop.ts';
import { sharedCores } from './cores.ts';
import type { Figures } from './figures.ts';
import { measureRawUnwrapMicros } from './raw-cost.ts';
import { FLOWGATE } from './row-labels.ts';
import { stockSize } from './stock-size.ts';
import { judge, type Target } from './targets.ts';

const COLUMNS = ['requestsPerSec', 'p50Ms', 'p99Ms', 'cpuMicros', 'cpuToRaw', 'loopDelayP99Ms', 'rssMb'] as const;

export interface Comparison {
  readonly name: string;
  readonly question: string;
  /** The file of the other server in bench/servers, and what a row calls it. */
  readonly variant: { readonly file: string; readonly label: string };
  readonly target?: Target;
}

export function createComparison(comparison: Comparison): Bench {
  const { name, question } = comparison;
  return { name, question, run: (context) => compare(comparison, context) };
}

async function compare({ variant, target }: Comparison, context: BenchContext): Promise<Report> {
  const { scale, credentials, progress } = context;
  progress.begin(scale.rounds * 2);
  await using flowgate = await BenchChild.start('flowgate', credentials);
  await using other = await BenchChild.start(variant.file, credentials);
  const pair = [
    { label: FLOWGATE, server: flowgate },
    { label: variant.label, server: other },
  ] as const;
  const stock = createBookingStock(credentials);
  const samples = new Samples();
  const ratios = new Samples();
  const ratioLabel = `${FLOWGATE} / ${variant.label}`;

  const measure = async ({ label, server }: (typeof pair)[number], rawMicros: number) => {
    progress.step(label);
    stock.fill(stockSize(scale, scale.crowd, rawMicros));
    const figures = await runClosedLoop(server, { ...scale, connections: scale.crowd, stock });
    samples.add(label, { ...figures, cpuToRaw: figures.cpuMicros / rawMicros });
    return figures;
  };
  for (let round = 0; round < scale.rounds; round++) {
    const rawMicros = await measureRawUnwrapMicros(credentials, scale.rawMs);
    const measured = [];
    for (const turn of takingTurns(pair, round)) measured.push(await measure(turn, rawMicros));
    const [ours, theirs] = takingTurns(measured, round);
    if (ours && theirs) ratios.add(ratioLabel, ratioOf(ours, theirs));
  }
  const setups = pair.map(({ label, server }) => `${label}: ${server.description}`).join('; ');
  return {
    setup: `${setups}; ${formatCount(scale.crowd)} connections, ${sharedCores().description}`,
    tables: [samples.table('server', COLUMNS), ratios.table('ratio', ['throughputRatio', 'p99Ratio', 'cpuRatio'])],
    verdicts: target ? judge(target, ratios.median(ratioLabel)) : [],
    notes: [],
  };
}

/** In every other round the order is reversed: a machine that gets warm favours nobody. */
export function takingTurns<T>(ways: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? ways : ways.toReversed();
}

function ratioOf(ours: ClosedLoopFigures, theirs: ClosedLoopFigures): Figures {
  return {
    throughputRatio: ours.requestsPerSec / theirs.requestsPerSec,
    p99Ratio: ours.p99Ms / theirs.p99Ms,
    cpuRatio: ours.cpuMicros / theirs.cpuMicros,
  };
}
