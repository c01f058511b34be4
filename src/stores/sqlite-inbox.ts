/** The embedded inbox: one SQLite file under the data directory, owned by a thread of this process. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import {
  CLAIM_WAIT_MS,
  type Claim,
  type ClaimedItem,
  DEFAULT_LEASE_MS,
  DEFAULT_MAX_WAITING,
  type EffectState,
  type Inbox,
  type InboxStats,
  type ItemRecord,
  type ItemState,
  type NewItem,
} from '../webhooks/inbox.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { LOCK_WAIT_MS, makePrivateFile, openFailure } from './own-file.ts';
import type { ClaimedRow, ItemRow } from './sqlite-items.ts';

/** How often old ids are looked for, and how soon again after a full bite of them. */
const FORGET_EVERY_MS = 10_000;
const FORGET_MORE_AFTER_MS = 100;

export interface SqliteInboxOptions extends GroupCommitOptions {
  /** Where the file is, or is made; `:memory:` keeps everything in the process, for tests. */
  readonly path: string;
  readonly leaseMs?: number;
  /** Items that may wait; an append beyond them rejects with `INBOX_FULL`. */
  readonly maxWaiting?: number;
  /** How long to wait for another process to let go of the file. */
  readonly lockWaitMs?: number;
}

/** Rejects with `INBOX_LOCKED` when another process has the file, or with `INBOX_OPEN_FAILED`. */
export async function openSqliteInbox(options: SqliteInboxOptions): Promise<Inbox> {
  const { path, clock, lockWaitMs = LOCK_WAIT_MS } = options;
  if (path !== ':memory:') makePrivateFile(path, 'inbox');
  const openedAtMs = clock.nowMs();
  const openedEpochMs = clock.epochMs();
  const nowMs = () => Math.round(openedEpochMs + clock.nowMs() - openedAtMs);
  const commit = await GroupCommit.start({ path, nowMs: nowMs(), lockWaitMs }, options);
  if (typeof commit === 'string') throw openFailure(path, commit, 'inbox');
  return new SqliteInbox(commit, nowMs, options);
}

class SqliteInbox implements Inbox {
  readonly engine = 'sqlite';
  readonly #commit: GroupCommit;
  /** Epoch ms, but from the monotonic clock since the start: a jump of the wall clock moves no lease and no retry. */
  readonly #nowMs: () => number;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxWaiting: number;
  /** Counts what may have made an item due, so that a claim about to wait sees what came in meanwhile. */
  #arrivals = 0;
  readonly #waiters = new Set<() => void>();
  #cancelForget = () => {};
  #isClosed = false;

  constructor(commit: GroupCommit, nowMs: () => number, options: SqliteInboxOptions) {
    const { clock, leaseMs = DEFAULT_LEASE_MS, maxWaiting = DEFAULT_MAX_WAITING } = options;
    this.#commit = commit;
    this.#nowMs = nowMs;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#maxWaiting = maxWaiting;
    this.#scheduleForget(FORGET_EVERY_MS);
  }

  async append(items: readonly NewItem[]): Promise<readonly boolean[]> {
    const nowMs = this.#nowMs();
    const rows = items.map(({ id, kind, type, payload, delayMs = 0 }): ItemRow => {
      return [id, kind, type, JSON.stringify(payload), nowMs + delayMs];
    });
    const chars = rows.reduce((sum, row) => sum + row[3].length, 0);
    const isNew = await this.#commit.call(chars, 'append', rows, this.#maxWaiting, nowMs);
    if (!isNew) {
      throw new FlowgateError('INBOX_FULL', `${this.#maxWaiting} items wait: handlers are down or cannot keep up`);
    }
    this.#wake();
    return isNew;
  }

  async claim(max: number, signal: AbortSignal): Promise<readonly ClaimedItem[]> {
    const untilMs = this.#clock.nowMs() + CLAIM_WAIT_MS;
    while (!signal.aborted) {
      const arrivals = this.#arrivals;
      const { rows, nextDueAtMs } = await this.#commit.call(0, 'claim', max, this.#leaseMs, this.#nowMs());
      if (rows.length > 0) return rows.map(toClaimed);
      const leftMs = untilMs - this.#clock.nowMs();
      if (leftMs <= 0) break;
      const untilDueMs = (nextDueAtMs ?? Number.POSITIVE_INFINITY) - this.#nowMs();
      if (arrivals === this.#arrivals) await this.#wait(Math.max(1, Math.min(leftMs, untilDueMs)), signal);
    }
    return [];
  }

  renew(claim: Claim): Promise<boolean> {
    return this.#commit.call(0, 'renew', claim, this.#leaseMs, this.#nowMs());
  }

  settle(claim: Claim, result?: string): Promise<boolean> {
    return this.#commit.call(result?.length ?? 0, 'settle', claim, result, this.#nowMs());
  }

  async retryAt(claim: Claim, delayMs: number, error: string): Promise<boolean> {
    const isHeld = await this.#commit.call(error.length, 'retryAt', claim, delayMs, error, this.#nowMs());
    this.#wake();
    return isHeld;
  }

  dead(claim: Claim, error: string): Promise<boolean> {
    return this.#commit.call(error.length, 'dead', claim, error, this.#nowMs());
  }

  async replay(id?: string): Promise<number> {
    const count = await this.#commit.call(0, 'replay', id, this.#nowMs());
    this.#wake();
    return count;
  }

  purge(id?: string): Promise<number> {
    return this.#commit.call(0, 'purge', id);
  }

  list(state: ItemState, limit: number): Promise<readonly ItemRecord[]> {
    return this.#commit.call(0, 'list', state, limit);
  }

  find(id: string): Promise<ItemRecord | undefined> {
    return this.#commit.call(0, 'find', id);
  }

  stats(): Promise<InboxStats> {
    return this.#commit.call(0, 'stats', this.#nowMs());
  }

  beginEffect(id: string, key: string, by: string = randomUUID()): Promise<EffectState> {
    return this.#commit.call(key.length, 'beginEffect', id, key, by);
  }

  endEffect(id: string, key: string, result: string | undefined): Promise<void> {
    return this.#commit.call(result?.length ?? 0, 'endEffect', id, key, result);
  }

  undoEffect(id: string, key: string): Promise<void> {
    return this.#commit.call(0, 'undoEffect', id, key);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelForget();
    await this.#commit.close();
    this.#wake();
  }

  #wake(): void {
    this.#arrivals += 1;
    for (const wake of this.#waiters) wake();
  }

  /**
   * Resolves after `ms`, on the next arrival, or when `signal` aborts. By hand: Node 20 keeps something of every
   * `AbortSignal.any` for as long as its oldest signal lives.
   */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#waiters.add(done);
      signal.addEventListener('abort', done);
    });
  }

  #scheduleForget(afterMs: number): void {
    this.#cancelForget = this.#clock.after(afterMs, async () => {
      const isMore = await this.#commit.call(0, 'forget', this.#nowMs()).catch(() => false);
      if (!this.#isClosed) this.#scheduleForget(isMore ? FORGET_MORE_AFTER_MS : FORGET_EVERY_MS);
    });
  }
}

function toClaimed([id, kind, type, attempt, storedAtMs, payload]: ClaimedRow): ClaimedItem {
  return { id, kind, type, attempt, storedAtMs, payload: JSON.parse(payload) };
}
