/** The inbox as it is shown: each event, and below it the jobs it left. */
import type { InboxItem } from '../../api.ts';

export interface InboxRow {
  readonly item: InboxItem;
  readonly jobs: readonly InboxItem[];
}

/** Newest first. A job whose event is no longer listed stands by itself. */
export function rowsOf(items: readonly InboxItem[]): InboxRow[] {
  const ids = new Set(items.map(({ id }) => id));
  const isInner = ({ deferredBy }: InboxItem) => deferredBy !== undefined && ids.has(deferredBy);
  return items
    .filter((item) => !isInner(item))
    .sort((a, b) => b.storedAtMs - a.storedAtMs)
    .map((item) => ({ item, jobs: items.filter(({ deferredBy }) => deferredBy === item.id) }));
}

/** `in 12 s`, while the next attempt is to come. */
export function dueText(dueAtMs: number | undefined, nowMs: number): string {
  if (dueAtMs === undefined || dueAtMs <= nowMs) return '';
  const seconds = Math.ceil((dueAtMs - nowMs) / 1000);
  return seconds < 120 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
}
