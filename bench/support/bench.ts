/** What every bench is, so that all are listed, run and printed alike. */
import type { Credentials } from './credentials.ts';
import type { FigureName, Figures } from './figures.ts';
import { medianFigures } from './figures.ts';
import type { Scale } from './scale.ts';
import type { Verdict } from './targets.ts';

export interface Bench {
  /** Of its file, too. */
  readonly name: string;
  readonly question: string;
  /** Rejects with a BenchError when something failed or was answered wrongly: then there is no figure. */
  run(context: BenchContext): Promise<Report>;
}

export interface BenchContext {
  readonly scale: Scale;
  readonly credentials: Credentials;
  readonly progress: Progress;
}

export interface Progress {
  /** How many times `step` will be called. */
  begin(steps: number): void;
  /** Something that takes a while begins. */
  step(label: string): void;
}

export interface Report {
  /** What was measured, and where: `uWebSockets.js, 2 workers; generator on the same 2 cores`. */
  readonly setup: string;
  readonly tables: readonly Table[];
  readonly verdicts: readonly Verdict[];
  /** What a reader must know about these very figures. */
  readonly notes: readonly string[];
}

export interface Table {
  /** What its rows are: `connections`. */
  readonly rowTitle: string;
  readonly columns: readonly FigureName[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly label: string;
  readonly median: Figures;
  /** What the median is of, in the order they were measured. */
  readonly rounds: readonly Figures[];
}

/** Collects the figures of every round by row. */
export class Samples {
  readonly #rounds = new Map<string, Figures[]>();

  add(label: string, figures: Figures): void {
    const rounds = this.#rounds.get(label);
    if (rounds) rounds.push(figures);
    else this.#rounds.set(label, [figures]);
  }

  median(label: string): Figures | undefined {
    const rounds = this.#rounds.get(label);
    return rounds && medianFigures(rounds);
  }

  /** The worst of all rows and rounds: for what must not happen even once. */
  max(figure: FigureName): number {
    return Math.max(...[...this.#rounds.values()].flat().map((figures) => figures[figure] ?? 0));
  }

  table(rowTitle: string, columns: readonly FigureName[]): Table {
    const rows = [...this.#rounds].map(([label, rounds]) => ({ label, median: medianFigures(rounds), rounds }));
    return { rowTitle, columns, rows };
  }
}

/** `1,000` */
export function formatCount(value: number): string {
  return value.toLocaleString('en');
}
