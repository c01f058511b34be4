/** Figures on disk: a file for each bench, so that a partial run replaces only what it measured. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Report } from './bench.ts';
import type { Machine } from './machine.ts';
import type { Scale } from './scale.ts';

/** A report with what it takes to judge it. */
export interface BenchResult extends Report {
  readonly bench: string;
  readonly question: string;
  readonly machine: Machine;
  readonly scale: Scale['name'];
  readonly rounds: number;
}

/** @returns the results in a folder; none when there is no such folder. */
export function readResults(directory: string): BenchResult[] {
  const files = readdirOrNothing(directory).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as BenchResult);
}

/** Writes each result to `<directory>/<bench>.json`. */
export function writeResults(directory: string, results: readonly BenchResult[]): void {
  for (const result of results) writeJson(join(directory, `${result.bench}.json`), result);
}

/** Every float with three decimals: no machine measures more. */
export function writeJson(file: string, value: unknown): void {
  const round = (_: string, part: unknown) => (typeof part === 'number' ? Math.round(part * 1_000) / 1_000 : part);
  writeText(file, `${JSON.stringify(value, round, 2)}\n`);
}

export function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function readdirOrNothing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
