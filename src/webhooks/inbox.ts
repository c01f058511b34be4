/**
 * The inbox: where an acknowledged event and a deferred job are kept until they are done.
 *
 * A contract with two engines, SQLite and Redis; `test/stores/inbox-contract.test.ts` holds both to every sentence here.
 * An item is stored once, whatever how often its id is appended within 8 days. It is handed to one worker at a time,
 * under a lease; a worker that dies loses the lease and another gets the item. So an item is handled at least once.
 */
import type { JsonObject } from '../json.ts';

/** Meta repeats a delivery for up to 7 days ("Webhooks", retries): an id is remembered for longer than that. */
export const DEDUPE_MS = 8 * 24 * 3_600_000;
/** An append, and whatever else a request or a command waits for, fails after this: Meta is told 503 within two seconds. */
export const INBOX_TIMEOUT_MS = 1_500;
/** A worker that has not renewed its lease for this long has lost the item. */
export const DEFAULT_LEASE_MS = 30_000;
/** A claim with nothing to claim resolves empty after this. */
export const CLAIM_WAIT_MS = 5_000;
/** With this many items waiting, no more are taken: handlers are down, and Meta should keep the rest. */
export const DEFAULT_MAX_WAITING = 1_000_000;
/** Results and errors that are recorded; whoever records one cuts it. */
export const MAX_NOTE_CHARS = 2_000;

export type ItemKind = 'event' | 'job';

export interface NewItem {
  /** `evt_` or `job_` and 32 hex digits: made from what makes the item the same one, so a duplicate has the same id. */
  readonly id: string;
  readonly kind: ItemKind;
  /** `message.text`, or the name of a job. */
  readonly type: string;
  readonly payload: JsonObject;
  /** Not to be claimed sooner than this from now. */
  readonly delayMs?: number;
}

/** One attempt's hold on an item. */
export interface Claim {
  readonly id: string;
  /** 1 for the first. Counted before the attempt runs, so an attempt that ends the process is counted too. */
  readonly attempt: number;
}

export interface ClaimedItem extends Claim {
  readonly kind: ItemKind;
  readonly type: string;
  readonly payload: JsonObject;
  /** Epoch ms. */
  readonly storedAtMs: number;
}

/**
 * `waiting`: to be claimed, now or when it is due. `leased`: a worker has it. `done`: handled; the payload is gone, the
 * id still answers duplicates. `dead`: given up, kept until it is replayed or purged.
 */
export const ITEM_STATES = ['waiting', 'leased', 'done', 'dead'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export interface ItemRecord {
  readonly id: string;
  readonly kind: ItemKind;
  readonly type: string;
  readonly state: ItemState;
  /** Attempts begun. */
  readonly attempts: number;
  /** Epoch ms. */
  readonly storedAtMs: number;
  /** Epoch ms: when a waiting item is due, when a leased one's lease ends, when the others were finished. */
  readonly dueAtMs: number;
  /** What the handler returned, as JSON text, for an item that is done. */
  readonly result: string | undefined;
  /** Why the last attempt failed. */
  readonly error: string | undefined;
  /** Absent in lists, and once the item is done. */
  readonly payload?: JsonObject;
}

export interface InboxStats {
  readonly waiting: number;
  readonly leased: number;
  readonly done: number;
  readonly dead: number;
  /** How long the item that is due the longest has waited; 0 when none is due. */
  readonly oldestDueMs: number;
}

/** What is known of an effect: never begun, begun (and perhaps done: whoever began it did not say), or done. */
export type EffectState =
  | { readonly state: 'new' }
  | { readonly state: 'begun' }
  | { readonly state: 'done'; readonly result: string | undefined };

/** Every method rejects with `INBOX_UNAVAILABLE` when the store cannot be reached, written or waited for. */
export interface Inbox {
  readonly engine: 'sqlite' | 'redis';

  /**
   * Stores `items`, all or none, and resolves when that is durable.
   * @returns for each item, whether it is new: false for an id that is known, or stands earlier in `items`.
   * Rejects with `INBOX_FULL` when too many items wait.
   */
  append(items: readonly NewItem[]): Promise<readonly boolean[]>;

  /**
   * Leases up to `max` due items, the longest due first, and counts an attempt for each.
   * Waits for one to become due, for `CLAIM_WAIT_MS` at most or until `signal` aborts; then resolves empty.
   */
  claim(max: number, signal: AbortSignal): Promise<readonly ClaimedItem[]>;

  /** Extends the lease. @returns false when it was lost: another worker has the item, or it is finished. */
  renew(claim: Claim): Promise<boolean>;
  /** The item is done. The next three are refused, with false, when the lease was lost. */
  settle(claim: Claim, result?: string): Promise<boolean>;
  /** The attempt failed: the item is due again after `delayMs`. */
  retryAt(claim: Claim, delayMs: number, error: string): Promise<boolean>;
  /** The item is given up. */
  dead(claim: Claim, error: string): Promise<boolean>;

  /**
   * Makes dead items due again under their own ids, with no attempt counted; effects they began and did not finish
   * may be begun again. @param id one item, or all dead ones, at most 1,000 a call. @returns how many.
   */
  replay(id?: string): Promise<number>;
  /** Forgets dead items for good, payload and id: at most 1,000 a call. @returns how many. */
  purge(id?: string): Promise<number>;
  /** Newest first, without payloads. @param limit 1 to 1,000. */
  list(state: ItemState, limit: number): Promise<readonly ItemRecord[]>;
  find(id: string): Promise<ItemRecord | undefined>;
  stats(): Promise<InboxStats>;

  /**
   * Marks an effect of an item as begun, durably, and tells what was known of it before.
   * @param by who begins it: whoever asks again under the same name, since the answer was lost, is told `new` again.
   */
  beginEffect(id: string, key: string, by?: string): Promise<EffectState>;
  /** The effect happened; `result` is what `beginEffect` tells from now on. */
  endEffect(id: string, key: string, result: string | undefined): Promise<void>;
  /** The effect did not happen: it may be begun again. */
  undoEffect(id: string, key: string): Promise<void>;

  /** Ends the engine. What is leased becomes due for others: at once with SQLite, at the end of the lease with Redis. */
  close(): Promise<void>;
}
