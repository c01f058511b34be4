/** Results as Markdown. */
import type { Table } from './bench.ts';
import { formatFigure, titleOf } from './figures.ts';
import { machineLine } from './machine.ts';
import type { BenchResult } from './results.ts';
import { formatVerdict, type Verdict } from './targets.ts';

/** A result under its heading; `reading` is prose that someone wrote about it. */
export function renderResult(result: BenchResult, reading = ''): string {
  const { bench, question, tables, verdicts, notes } = result;
  const parts = [
    `### ${bench}`,
    question,
    reading,
    ...tables.map(renderTable),
    verdicts.length > 0 ? renderVerdicts(verdicts) : '',
    notes.map((note) => `- ${note}`).join('\n'),
    `<sub>${renderOrigin(result)}</sub>`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The median of each figure, a row a line. */
export function renderTable({ rowTitle, columns, rows }: Table): string {
  const head = [rowTitle, ...columns.map(titleOf)];
  const body = rows.map(({ label, median }) => [label, ...columns.map((name) => formatFigure(name, median[name]))]);
  return renderGrid(head, body);
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return renderGrid(['target', 'measured', 'wanted', 'verdict'], verdicts.map(formatVerdict));
}

/** Where, when and how much was measured. */
function renderOrigin({ setup, machine, scale, rounds }: BenchResult): string {
  const counted = rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`;
  return `${setup}. ${counted}${scale === 'full' ? '' : `, ${scale} run`}. ${machineLine(machine)}.`;
}

/** First column to the left, figures to the right. Padded, so that it reads in a terminal too. */
function renderGrid(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(4, title.length, ...body.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => pad(cell, widths[i] ?? 0, i)).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
