/** Every figure a bench may report: what a table calls it, and how it is printed. */
import { median } from './statistics.ts';

interface FigureFormat {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
}

export const FIGURES = {
  requestsPerSec: { title: 'requests/s', unit: '', digits: 0 },
  unwrapsPerSec: { title: 'unwraps/s', unit: '', digits: 0 },
  eventsPerSec: { title: 'events/s', unit: '', digits: 0 },
  p50Ms: { title: 'p50', unit: 'ms', digits: 1 },
  p99Ms: { title: 'p99', unit: 'ms', digits: 1 },
  idleP50Ms: { title: 'idle p50', unit: 'ms', digits: 1 },
  idleP99Ms: { title: 'idle p99', unit: 'ms', digits: 1 },
  cpuMicros: { title: 'CPU each', unit: 'us', digits: 0 },
  redisCpuMicros: { title: 'CPU of Redis each', unit: 'us', digits: 0 },
  fsyncsPerSec: { title: 'fsyncs/s', unit: '', digits: 0 },
  eventsPerFsync: { title: 'events/fsync', unit: '', digits: 1 },
  cpuToRaw: { title: 'CPU / raw', unit: '', digits: 2 },
  loopDelayP99Ms: { title: 'loop delay p99', unit: 'ms', digits: 1 },
  rssMb: { title: 'RSS', unit: 'MB', digits: 0 },
  throughputRatio: { title: 'requests/s', unit: '', digits: 2 },
  eventsRatio: { title: 'events/s', unit: '', digits: 2 },
  p99Ratio: { title: 'p99', unit: '', digits: 2 },
  cpuRatio: { title: 'CPU', unit: '', digits: 2 },
  offeredPerSec: { title: 'offered/s', unit: '', digits: 0 },
  goodputPerSec: { title: 'goodput/s', unit: '', digits: 0 },
  goodputShare: { title: 'goodput / capacity', unit: '%', digits: 0 },
  shedPerSec: { title: 'shed/s', unit: '', digits: 0 },
  shedShare: { title: 'shed', unit: '%', digits: 1 },
  late: { title: 'late', unit: '', digits: 0 },
  failures: { title: 'other failures', unit: '', digits: 0 },
  latenessP99Ms: { title: 'sent late p99', unit: 'ms', digits: 1 },
  recoveryMs: { title: 'recovery', unit: 'ms', digits: 0 },
  samples: { title: 'samples', unit: '', digits: 0 },
} as const satisfies Record<string, FigureFormat>;

export type FigureName = keyof typeof FIGURES;
/** Of one run. Shares are 0 to 1. */
export type Figures = Readonly<Partial<Record<FigureName, number>>>;

/** `p50, ms` */
export function titleOf(name: FigureName): string {
  const { title, unit } = FIGURES[name];
  return unit === '' ? title : `${title}, ${unit}`;
}

/** `1,234.5`, without its unit; `-` when there is none. */
export function formatFigure(name: FigureName, value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  const { unit, digits } = FIGURES[name];
  const scaled = unit === '%' ? value * 100 : value;
  return scaled.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median of each figure on its own, over the rounds that have it. */
export function medianFigures(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap((figures) => Object.keys(figures) as FigureName[]));
  const valuesOf = (name: FigureName) => rounds.flatMap((figures) => figures[name] ?? []);
  return Object.fromEntries([...names].map((name) => [name, median(valuesOf(name))]));
}
