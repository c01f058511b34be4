import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import { FlowgateError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/json.ts';
import {
  CLAIM_WAIT_MS,
  type Claim,
  type ClaimedItem,
  DEDUPE_MS,
  DEFAULT_LEASE_MS,
  type EffectState,
  type Inbox,
  type InboxStats,
  ITEM_STATES,
  type ItemKind,
  type ItemRecord,
  type ItemState,
  type NewItem,
} from '../../src/webhooks/inbox.ts';

const MAX_A_CALL = 1_000;

type Effect =
  | { readonly state: 'begun'; readonly by: string }
  | { readonly state: 'done'; readonly result: string | undefined };

interface Entry {
  readonly id: string;
  readonly kind: ItemKind;
  readonly type: string;
  readonly storedAtMs: number;
  readonly effects: Map<string, Effect>;
  payload: JsonObject | undefined;
  state: ItemState;
  attempts: number;
  dueAtMs: number;
  result: string | undefined;
  error: string | undefined;
}

/** An inbox that forgets everything at the end of the test, and whose time passes only when the clock's does. */
export class MemoryInbox implements Inbox {
  readonly engine = 'sqlite';
  /** Set it, and every call rejects with `INBOX_UNAVAILABLE` and this message. */
  failure: string | undefined;
  isClosed = false;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxWaiting: number;
  readonly #entries = new Map<string, Entry>(); // in the order they were stored
  readonly #waiters = new Set<() => void>();

  constructor(clock: Clock, { leaseMs = DEFAULT_LEASE_MS, maxWaiting = Number.POSITIVE_INFINITY } = {}) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#maxWaiting = maxWaiting;
  }

  async append(items: readonly NewItem[]): Promise<readonly boolean[]> {
    this.#check();
    const seen = new Set<string>();
    const areNew = items.map(({ id }) => !this.#isKnown(id) && seen.size < seen.add(id).size);
    if (seen.size > 0 && this.#in('waiting').length + seen.size > this.#maxWaiting) {
      throw new FlowgateError('INBOX_FULL', 'too many items wait');
    }
    for (const [i, item] of items.entries()) if (areNew[i]) this.#store(item);
    this.#wake();
    return areNew;
  }

  async claim(max: number, signal: AbortSignal): Promise<readonly ClaimedItem[]> {
    const untilMs = this.#clock.epochMs() + CLAIM_WAIT_MS;
    for (;;) {
      this.#check();
      const claimed = this.#lease(max);
      const leftMs = untilMs - this.#clock.epochMs();
      if (claimed.length > 0 || leftMs <= 0 || signal.aborted) return claimed;
      await this.#change(leftMs, signal);
    }
  }

  async renew(claim: Claim): Promise<boolean> {
    return this.#withLease(claim, {}, this.#leaseMs);
  }

  async settle(claim: Claim, result?: string): Promise<boolean> {
    return this.#withLease(claim, { state: 'done', payload: undefined, result, error: undefined });
  }

  async retryAt(claim: Claim, delayMs: number, error: string): Promise<boolean> {
    return this.#withLease(claim, { state: 'waiting', error }, delayMs);
  }

  async dead(claim: Claim, error: string): Promise<boolean> {
    return this.#withLease(claim, { state: 'dead', error });
  }

  async replay(id?: string): Promise<number> {
    const dead = this.#dead(id);
    for (const entry of dead) {
      this.#set(entry, { state: 'waiting', attempts: 0 });
      for (const [key, { state }] of entry.effects) if (state === 'begun') entry.effects.delete(key);
    }
    this.#wake();
    return dead.length;
  }

  async purge(id?: string): Promise<number> {
    const dead = this.#dead(id);
    for (const entry of dead) this.#entries.delete(entry.id);
    return dead.length;
  }

  async list(state: ItemState, limit: number): Promise<readonly ItemRecord[]> {
    this.#check();
    const newest = this.#in(state).reverse().slice(0, limit);
    return newest.map(toRecord);
  }

  async find(id: string): Promise<ItemRecord | undefined> {
    this.#check();
    const entry = this.#entries.get(id);
    return entry && { ...toRecord(entry), ...(entry.payload && { payload: entry.payload }) };
  }

  async stats(): Promise<InboxStats> {
    this.#check();
    const [waiting = 0, leased = 0, done = 0, dead = 0] = ITEM_STATES.map((state) => this.#in(state).length);
    const dueSinceMs = this.#due().map(({ dueAtMs }) => this.#clock.epochMs() - dueAtMs);
    return { waiting, leased, done, dead, oldestDueMs: Math.max(0, ...dueSinceMs) };
  }

  async beginEffect(id: string, key: string, by: string = randomUUID()): Promise<EffectState> {
    const effects = this.#effects(id);
    const before = effects.get(key);
    if (before?.state === 'done') return { state: 'done', result: before.result };
    if (!before) effects.set(key, { state: 'begun', by });
    return { state: !before || before.by === by ? 'new' : 'begun' };
  }

  async endEffect(id: string, key: string, result: string | undefined): Promise<void> {
    this.#effects(id).set(key, { state: 'done', result });
  }

  async undoEffect(id: string, key: string): Promise<void> {
    this.#effects(id).delete(key);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const entry of this.#in('leased')) this.#set(entry, { state: 'waiting' });
    this.#wake();
  }

  #check(): void {
    if (this.failure !== undefined) throw new FlowgateError('INBOX_UNAVAILABLE', this.failure);
  }

  #isKnown(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry?.state === 'done' && this.#clock.epochMs() - entry.storedAtMs >= DEDUPE_MS) this.#entries.delete(id);
    return this.#entries.has(id);
  }

  #store({ id, kind, type, payload, delayMs = 0 }: NewItem): void {
    const storedAtMs = this.#clock.epochMs();
    const isNew = { state: 'waiting', attempts: 0, result: undefined, error: undefined, effects: new Map() } as const;
    this.#entries.set(id, { id, kind, type, payload, storedAtMs, dueAtMs: storedAtMs + delayMs, ...isNew });
  }

  #in(state: ItemState): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.state === state);
  }

  /** To be claimed now: waiting and due, or leased to a worker that has lost the lease. The longest due first. */
  #due(): Entry[] {
    const open = [...this.#in('waiting'), ...this.#in('leased')];
    const due = open.filter(({ dueAtMs }) => dueAtMs <= this.#clock.epochMs());
    return due.sort((a, b) => a.dueAtMs - b.dueAtMs);
  }

  #lease(max: number): ClaimedItem[] {
    const due = this.#due().slice(0, max);
    return due.map((entry) => {
      this.#set(entry, { state: 'leased', attempts: entry.attempts + 1 }, this.#leaseMs);
      const { id, kind, type, payload = {}, storedAtMs, attempts: attempt } = entry;
      return { id, kind, type, payload, storedAtMs, attempt };
    });
  }

  #withLease({ id, attempt }: Claim, change: Partial<Entry>, delayMs = 0): boolean {
    this.#check();
    const entry = this.#entries.get(id);
    if (entry?.state !== 'leased' || entry.attempts !== attempt) return false;
    this.#set(entry, change, delayMs);
    this.#wake();
    return true;
  }

  #set(entry: Entry, change: Partial<Entry>, delayMs = 0): void {
    Object.assign(entry, change, { dueAtMs: this.#clock.epochMs() + delayMs });
  }

  #dead(id: string | undefined): Entry[] {
    this.#check();
    const dead = this.#in('dead').sort((a, b) => a.dueAtMs - b.dueAtMs);
    return (id === undefined ? dead : dead.filter((entry) => entry.id === id)).slice(0, MAX_A_CALL);
  }

  #effects(id: string): Map<string, Effect> {
    this.#check();
    return this.#entries.get(id)?.effects ?? new Map();
  }

  /** Resolves when something was changed or falls due, after `waitMs`, or when `signal` aborts. */
  #change(waitMs: number, signal: AbortSignal): Promise<void> {
    const open = [...this.#in('waiting'), ...this.#in('leased')];
    const untilDueMs = open.map(({ dueAtMs }) => dueAtMs - this.#clock.epochMs());
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.#clock.after(Math.min(waitMs, ...untilDueMs), wake);
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

function toRecord({ payload: _, effects: __, ...record }: Entry): ItemRecord {
  return record;
}

/** `evt_000...7`: an id that a test can name. */
export const itemId = (n: number, kind: ItemKind = 'event'): string =>
  `${kind === 'event' ? 'evt' : 'job'}_${n.toString(16).padStart(32, '0')}`;

export const newItem = (n: number, item: Partial<NewItem> = {}): NewItem => ({
  id: itemId(n, item.kind),
  kind: 'event',
  type: 'message.text',
  payload: { n },
  ...item,
});

/** Appends items, claims each once and gives it up. */
export async function giveUp(inbox: Inbox, items: readonly NewItem[], error = 'HANDLER_FAILED'): Promise<void> {
  await inbox.append(items);
  for (const claim of await inbox.claim(items.length, new AbortController().signal)) await inbox.dead(claim, error);
}
