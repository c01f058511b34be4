/** What Flowgate promises itself, and whether a figure keeps it. */
import { FIGURES, type FigureName, type Figures, formatFigure } from './figures.ts';

export interface Target {
  readonly what: string;
  readonly figure: FigureName;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
}

export const TARGETS = {
  cpu: {
    what: 'CPU per request at 1,000 connections / raw privateDecrypt',
    figure: 'cpuToRaw',
    bound: 'at most',
    limit: 1.2,
  },
  p99: { what: 'p99 at 1,000 connections', figure: 'p99Ms', bound: 'at most', limit: 500 },
  loopDelay: {
    what: 'event-loop delay p99 at 1,000 connections',
    figure: 'loopDelayP99Ms',
    bound: 'at most',
    limit: 10,
  },
  memory: { what: 'memory at 1,000 connections', figure: 'rssMb', bound: 'at most', limit: 200 },
  againstInline: {
    what: 'throughput / RSA on the main thread, on 2 cores',
    figure: 'throughputRatio',
    bound: 'at least',
    limit: 1.6,
  },
  againstNaive: {
    what: 'throughput / a naive Express endpoint',
    figure: 'throughputRatio',
    bound: 'at least',
    limit: 7,
  },
  goodputAtTwice: { what: 'goodput at 2x / capacity', figure: 'goodputShare', bound: 'at least', limit: 0.95 },
  goodputAtFiveTimes: { what: 'goodput at 5x / capacity', figure: 'goodputShare', bound: 'at least', limit: 0.9 },
  late: { what: 'answers after their deadline', figure: 'late', bound: 'at most', limit: 0 },
  acknowledgement: {
    what: 'p99 of a webhook acknowledgement, pool saturated',
    figure: 'p99Ms',
    bound: 'at most',
    limit: 50,
  },
  intake: {
    what: 'durable acknowledgements a second, embedded store, 100 connections',
    figure: 'eventsPerSec',
    bound: 'at least',
    limit: 5_000,
  },
  metrics: { what: 'CPU of the metrics of a Flow request', figure: 'cpuMicros', bound: 'at most', limit: 10 },
  intakeP99: { what: 'their p99', figure: 'p99Ms', bound: 'at most', limit: 100 },
  intakeOfCrowd: {
    what: 'durable acknowledgements a second, embedded store, 1,000 connections',
    figure: 'eventsPerSec',
    bound: 'at least',
    limit: 5_000,
  },
} as const satisfies Record<string, Target>;

/** A target with what was measured. */
export interface Verdict extends Target {
  readonly measured: number;
  readonly isMet: boolean;
}

/** @returns nothing where the figure was not measured: a run that left it out. */
export function judge(target: Target, figures: Figures | undefined): Verdict[] {
  const measured = figures?.[target.figure];
  if (measured === undefined) return [];
  const isMet = target.bound === 'at most' ? measured <= target.limit : measured >= target.limit;
  return [{ ...target, measured, isMet }];
}

/** What was measured, what it should be, and the verdict: the cells of a table row. */
export function formatVerdict({ what, figure, bound, limit, measured, isMet }: Verdict): string[] {
  const unit = FIGURES[figure].unit;
  const format = (value: number) => `${formatFigure(figure, value)}${unit === '' ? '' : ` ${unit}`}`;
  return [what, format(measured), `${bound} ${format(limit)}`, isMet ? 'met' : 'missed'];
}
