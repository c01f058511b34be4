/** What `flowgate inbox` prints: small tables, ages, and JSON for scripts. */
import type { InboxReport } from '../webhooks/admin.ts';
import type { ItemRecord, ItemState } from '../webhooks/inbox.ts';
import { formatTable } from './format.ts';

const MAX_NOTE_CHARS = 60;
/** What `dueAtMs` is the time of. */
const DUE_LABEL: Readonly<Record<ItemState, string>> = {
  waiting: 'due',
  leased: 'lease ends',
  done: 'done',
  dead: 'given up',
};

export function formatStats({ engine, waiting, leased, done, dead, oldestDueMs }: InboxReport): string {
  const oldest = oldestDueMs > 0 ? [`the oldest due for ${formatDuration(oldestDueMs)}`] : [];
  return formatTable([
    ['engine', engine],
    ['waiting', formatCount(waiting), ...oldest],
    ['leased', formatCount(leased)],
    ['done', formatCount(done)],
    ['dead', formatCount(dead)],
  ]);
}

export function formatItems(state: ItemState, items: readonly ItemRecord[], nowMs: number): string {
  if (items.length === 0) return `No item is ${state}.`;
  const rows = items.map(({ id, type, attempts, dueAtMs, result, error }) => [
    id,
    printable(type),
    String(attempts),
    formatAge(dueAtMs, nowMs),
    shortened(printable((state === 'done' ? result : error) ?? '')),
  ]);
  return formatTable([['id', 'type', 'attempts', DUE_LABEL[state], state === 'done' ? 'result' : 'error'], ...rows]);
}

export function formatItem(item: ItemRecord, nowMs: number): string {
  const { id, kind, type, state, attempts, storedAtMs, dueAtMs, result, error, payload } = item;
  const when = (atMs: number) => `${new Date(atMs).toISOString()} (${formatAge(atMs, nowMs)})`;
  const rows = [
    ['id', id],
    ['kind', kind],
    ['type', printable(type)],
    ['state', state],
    ['attempts', String(attempts)],
    ['stored', when(storedAtMs)],
    [DUE_LABEL[state], when(dueAtMs)],
    ...(result === undefined ? [] : [['result', printable(result)]]),
    ...(error === undefined ? [] : [['error', printable(error)]]),
  ];
  return payload === undefined ? formatTable(rows) : `${formatTable(rows)}\n${formatJson(payload)}`;
}

/** JSON to read and to parse. What people wrote cannot steer a terminal: it stands there escaped. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replaceAll(UNSEEN, (character) => (character === '\n' ? character : escapeUnits(character)));
}

/** `1 item`, `1,204 items`. */
export function formatItemCount(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'item' : 'items'}`;
}

/** `3 min ago`, `in 20 s`, `now`. */
export function formatAge(atMs: number, nowMs: number): string {
  const passedMs = nowMs - atMs;
  if (Math.abs(passedMs) < 1_000) return 'now';
  return passedMs > 0 ? `${formatDuration(passedMs)} ago` : `in ${formatDuration(-passedMs)}`;
}

/** In one unit, rounded down. */
export function formatDuration(ms: number): string {
  const [unitMs, unit] = UNITS.find(([, , untilMs]) => ms < untilMs) ?? DAYS;
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

type Unit = readonly [unitMs: number, name: string, untilMs: number];
const UNITS: readonly Unit[] = [
  [1_000, 's', 60_000],
  [60_000, 'min', 3_600_000],
  [3_600_000, 'h', 48 * 3_600_000],
];
const DAYS: Unit = [24 * 3_600_000, 'days', Number.POSITIVE_INFINITY];

/** Control characters, and those that turn or hide text. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

/** What others wrote, unable to steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(UNSEEN, ' ');
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

function shortened(text: string): string {
  return text.length > MAX_NOTE_CHARS ? `${text.slice(0, MAX_NOTE_CHARS - 3)}...` : text;
}

function formatCount(count: number): string {
  return count.toLocaleString('en');
}
