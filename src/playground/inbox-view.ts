/** The newest items of the inbox, and what each is doing. */
import { type Inbox, ITEM_STATES, type ItemRecord } from '../webhooks/inbox.ts';
import type { InboxItem, InboxView } from './api.ts';
import type { Deferrals } from './deferrals.ts';

/** Of each state. */
export const MAX_VIEWED = 50;

/** Rejects with `INBOX_UNAVAILABLE`. */
export async function viewInbox(inbox: Inbox, deferrals: Deferrals): Promise<InboxView> {
  const lists = await Promise.all(ITEM_STATES.map((state) => inbox.list(state, MAX_VIEWED)));
  // An item that changes its state meanwhile may be in two of the lists: the later state counts.
  const items = new Map(lists.flat().map((record) => [record.id, toItem(record, deferrals)]));
  return { items: [...items.values()].sort((a, b) => b.storedAtMs - a.storedAtMs) };
}

function toItem(record: ItemRecord, deferrals: Deferrals): InboxItem {
  const { id, kind, type, state, attempts, storedAtMs, dueAtMs, error } = record;
  const deferredBy = deferrals.itemOf(id);
  return {
    ...{ id, kind, type, state, attempts, storedAtMs },
    ...(state === 'waiting' && { dueAtMs }),
    ...(error !== undefined && error !== null && { error }),
    ...(deferredBy !== undefined && { deferredBy }),
  };
}
