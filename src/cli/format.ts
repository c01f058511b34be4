/** What the commands print. */
import { styleText } from 'node:util';
import type { PhoneScreen } from '../testing/phone.ts';

/** A long list is cut after this many items: the reader wants to see that it is there, not all of it. */
const MAX_ITEMS = 4;

export function formatScreen({ screen, data, errorMessage, tookMs }: PhoneScreen, completed?: object): string {
  const head = `${styleText('bold', screen)}  ${styleText('dim', `${tookMs.toFixed(1)} ms`)}`;
  const error = errorMessage === undefined ? '' : `\n  ${styleText('yellow', errorMessage)}`;
  const rows = Object.entries(completed ?? data).map(([name, value]) => `\n  ${name.padEnd(18)} ${formatValue(value)}`);
  return `${head}${error}${rows.join('')}`;
}

/** Aligned columns; the last one is as wide as it likes. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((widest, row) => {
    for (const [i, { length }] of row.slice(0, -1).entries()) widest[i] = Math.max(widest[i] ?? 0, length);
    return widest;
  }, []);
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()).join('\n');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll('\n', ' / ');
  if (!Array.isArray(value)) return JSON.stringify(value);
  const titles = value.slice(0, MAX_ITEMS).map((item: unknown) => titleOf(item));
  return value.length > MAX_ITEMS
    ? `${titles.join(', ')} and ${value.length - MAX_ITEMS} more`
    : titles.join(', ') || '(none)';
}

function titleOf(item: unknown): string {
  const title = (item as { title?: unknown } | null)?.title;
  return typeof title === 'string' ? title : JSON.stringify(item);
}
