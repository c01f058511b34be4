/**
 * The inbox as tables of one SQLite file: what each of its calls does to them, inside a transaction that its caller opens.
 *
 * Written for the thread that owns the file. An item costs one row, its id in a unique index, and while it is unfinished
 * an entry in the index of what is due; a done one keeps about 150 bytes, its id, for 8 days.
 */
import {
  type Claim,
  DEDUPE_MS,
  type EffectState,
  type InboxStats,
  ITEM_STATES,
  type ItemKind,
  type ItemRecord,
  type ItemState,
} from '../webhooks/inbox.ts';
import { SqliteFile } from './sqlite-file.ts';
import { SqliteTally } from './sqlite-tally.ts';

const [WAITING, LEASED, DONE, DEAD] = ITEM_STATES.keys();
/** Bumped with every change of the tables. */
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE item (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT ${WAITING},
    attempts INTEGER NOT NULL DEFAULT 0,
    stored_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    payload TEXT,
    result TEXT,
    error TEXT
  );
  CREATE INDEX item_unfinished ON item (due_at_ms) WHERE state < ${DONE};
  CREATE INDEX item_dead ON item (due_at_ms) WHERE state = ${DEAD};
  CREATE TABLE effect (
    item TEXT NOT NULL,
    key TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    is_done INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    PRIMARY KEY (item, key)
  ) WITHOUT ROWID;
  CREATE TABLE tally (waiting INTEGER NOT NULL, leased INTEGER NOT NULL, done INTEGER NOT NULL, dead INTEGER NOT NULL);
  INSERT INTO tally VALUES (0, 0, 0, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
const UNFINISHED = `item INDEXED BY item_unfinished WHERE state < ${DONE}`;
const GIVEN_UP = `item INDEXED BY item_dead WHERE state = ${DEAD}`;
const HELD = `id = ? AND state = ${LEASED} AND attempts = ?`;
const RECORD = 'id, kind, type, state, attempts, stored_at_ms, due_at_ms, result, error';

/** Rows looked at in one go when old ids are forgotten: some milliseconds of the thread. */
const FORGET_BITE = 500;
/** Rows changed by one replay or purge. */
const CHANGE_BITE = 1_000;
/** After a crash, what was leased comes back within this for each attempt it has had, up to a minute. */
const CRASH_SPREAD_MS = 1_000;
const MAX_CRASH_SPREAD_MS = 60_000;

/** An item as it crosses to the thread: the payload is JSON text. */
export type ItemRow = readonly [id: string, kind: ItemKind, type: string, payload: string, dueAtMs: number];

/** A claimed item as it crosses back. */
export type ClaimedRow = readonly [
  id: string,
  kind: ItemKind,
  type: string,
  attempt: number,
  storedAtMs: number,
  payload: string,
];

export class SqliteItems {
  readonly #file: SqliteFile;
  readonly #tally: SqliteTally<ItemState>;
  #forgottenUpTo = 0;

  /** Opens the file at `path` as `SqliteFile` does, and makes due again what the process before this one held. */
  constructor(path: string, { nowMs, lockWaitMs }: { nowMs: number; lockWaitMs: number }) {
    this.#file = new SqliteFile(path, SCHEMA, SCHEMA_VERSION, { lockWaitMs });
    this.#tally = new SqliteTally(this.#file, ITEM_STATES);
    this.#returnLeases(nowMs);
    this.commit();
  }

  begin(): void {
    this.#file.begin();
  }

  commit(): void {
    this.#tally.commit();
  }

  rollback(): void {
    this.#tally.rollback();
  }

  close(): void {
    this.#file.close();
  }

  /** @returns for each row whether it is new, or undefined when it would make more than `maxWaiting` wait. */
  append(rows: readonly ItemRow[], maxWaiting: number, nowMs: number): boolean[] | undefined {
    if (this.#tally.counts.waiting + rows.length > maxWaiting) return undefined;
    const insert = this.#file.statement(
      `INSERT INTO item (id, kind, type, payload, due_at_ms, stored_at_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    );
    const isNew = rows.map((row) => insert.run(...row, nowMs).changes > 0);
    this.#move(undefined, 'waiting', isNew.filter(Boolean).length);
    return isNew;
  }

  /** Leases what is due, the longest due first; when nothing is, it tells when something will be. */
  claim(max: number, leaseMs: number, nowMs: number): { rows: ClaimedRow[]; nextDueAtMs: number | undefined } {
    const soonest = this.#file.all<{ seq: number; state: number; at: number }>(
      `SELECT seq, state, due_at_ms AS at FROM ${UNFINISHED} ORDER BY due_at_ms LIMIT ?`,
      max,
    );
    const due = soonest.filter(({ at }) => at <= nowMs);
    const lease = this.#file.statement(
      `UPDATE item SET state = ${LEASED}, attempts = attempts + 1, due_at_ms = ? WHERE seq = ?
       RETURNING id, kind, type, attempts, stored_at_ms, payload`,
    );
    this.#move('waiting', 'leased', due.filter(({ state }) => state === WAITING).length);
    const rows = due.map(({ seq }): ClaimedRow => {
      const row = lease.get(nowMs + leaseMs, seq) as RecordRow;
      return [row.id, row.kind, row.type, row.attempts, row.stored_at_ms, row.payload ?? '{}'];
    });
    return { rows, nextDueAtMs: soonest[0]?.at };
  }

  renew(claim: Claim, leaseMs: number, nowMs: number): boolean {
    return this.#file.change(`UPDATE item SET due_at_ms = ? WHERE ${HELD}`, nowMs + leaseMs, claim.id, claim.attempt);
  }

  settle(claim: Claim, result: string | undefined, nowMs: number): boolean {
    const assignments = 'payload = NULL, error = NULL, due_at_ms = ?, result = ?';
    const isHeld = this.#finish(claim, 'done', assignments, nowMs, result ?? null);
    if (isHeld) this.#file.run('DELETE FROM effect WHERE item = ?', claim.id);
    return isHeld;
  }

  retryAt(claim: Claim, delayMs: number, error: string, nowMs: number): boolean {
    return this.#finish(claim, 'waiting', 'due_at_ms = ?, error = ?', nowMs + delayMs, error);
  }

  dead(claim: Claim, error: string, nowMs: number): boolean {
    return this.#finish(claim, 'dead', 'due_at_ms = ?, error = ?', nowMs, error);
  }

  replay(id: string | undefined, nowMs: number): number {
    const ids = this.#deadIds(id);
    for (const dead of ids) {
      this.#file.run(`UPDATE item SET state = ${WAITING}, attempts = 0, due_at_ms = ? WHERE id = ?`, nowMs, dead);
      this.#file.run('DELETE FROM effect WHERE item = ? AND is_done = 0', dead);
    }
    this.#move('dead', 'waiting', ids.length);
    return ids.length;
  }

  purge(id: string | undefined): number {
    const ids = this.#deadIds(id);
    for (const dead of ids) this.#forget(dead);
    this.#move('dead', undefined, ids.length);
    return ids.length;
  }

  list(state: ItemState, limit: number): ItemRecord[] {
    const rows = this.#file.all<RecordRow>(`SELECT ${RECORD} FROM ${SOURCES[state]} ORDER BY seq DESC LIMIT ?`, limit);
    return rows.map((row) => toRecord(row));
  }

  find(id: string): ItemRecord | undefined {
    const row = this.#file.get<RecordRow>(`SELECT ${RECORD}, payload FROM item WHERE id = ?`, id);
    return row && toRecord(row);
  }

  stats(nowMs: number): InboxStats {
    const oldest = this.#file.get<{ at: number }>(
      `SELECT due_at_ms AS at FROM ${UNFINISHED} AND state = ${WAITING} ORDER BY due_at_ms LIMIT 1`,
    );
    return { ...this.#tally.counts, oldestDueMs: Math.max(0, nowMs - (oldest?.at ?? nowMs)) };
  }

  beginEffect(item: string, key: string, by: string): EffectState {
    this.#file.run('INSERT INTO effect (item, key, begun_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', item, key, by);
    const effect = this.#file.get<{ begun_by: string; is_done: number; result: string | null }>(
      'SELECT begun_by, is_done, result FROM effect WHERE item = ? AND key = ?',
      item,
      key,
    );
    if (effect?.is_done) return { state: 'done', result: effect.result ?? undefined };
    return { state: effect?.begun_by === by ? 'new' : 'begun' };
  }

  endEffect(item: string, key: string, result: string | undefined): void {
    this.#file.run('UPDATE effect SET is_done = 1, result = ? WHERE item = ? AND key = ?', result ?? null, item, key);
  }

  undoEffect(item: string, key: string): void {
    this.#file.run('DELETE FROM effect WHERE item = ? AND key = ?', item, key);
  }

  /**
   * Forgets ids that are done and were stored more than 8 days ago, a bite at a time. Rows stand in the order in which
   * they were stored, so a cursor walks from the oldest, and starts over when it meets one that is too young.
   * @returns true when the bite was full: there may be more.
   */
  forget(nowMs: number): boolean {
    const rows = this.#file.all<{ seq: number; id: string; state: number; stored_at_ms: number }>(
      'SELECT seq, id, state, stored_at_ms FROM item WHERE seq > ? ORDER BY seq LIMIT ?',
      this.#forgottenUpTo,
      FORGET_BITE,
    );
    const old = rows.filter((row) => row.stored_at_ms < nowMs - DEDUPE_MS);
    const done = old.filter((row) => row.state === DONE);
    for (const { id } of done) this.#forget(id);
    this.#move('done', undefined, done.length);
    const isFull = old.length === FORGET_BITE;
    this.#forgottenUpTo = isFull ? (old.at(-1)?.seq ?? 0) : 0;
    return isFull;
  }

  /**
   * If one of the items that were leased ended the process, the others must not be on board every time it tries again:
   * from the second attempt on each comes back at a random moment, the wider apart the more attempts it has had.
   */
  #returnLeases(nowMs: number): void {
    this.#file.run(
      `UPDATE item INDEXED BY item_unfinished SET state = ${WAITING},
         due_at_ms = ? + CASE WHEN attempts < 2 THEN 0 ELSE
           abs(random() / 2) % min(${CRASH_SPREAD_MS} * attempts, ${MAX_CRASH_SPREAD_MS}) END
       WHERE state < ${DONE} AND state = ${LEASED}`,
      nowMs,
    );
    this.#move('leased', 'waiting', this.#tally.counts.leased);
  }

  /** Ends an attempt; false when its lease was lost. */
  #finish(claim: Claim, to: ItemState, assignments: string, ...values: unknown[]): boolean {
    const sql = `UPDATE item SET state = ${ITEM_STATES.indexOf(to)}, ${assignments} WHERE ${HELD}`;
    const isHeld = this.#file.change(sql, ...values, claim.id, claim.attempt);
    if (isHeld) this.#move('leased', to, 1);
    return isHeld;
  }

  /** The longest dead first: one that dies again at once stands at the end. */
  #deadIds(id: string | undefined): string[] {
    const rows =
      id === undefined
        ? this.#file.all<{ id: string }>(`SELECT id FROM ${GIVEN_UP} ORDER BY due_at_ms LIMIT ${CHANGE_BITE}`)
        : this.#file.all<{ id: string }>(`SELECT id FROM item WHERE id = ? AND state = ${DEAD}`, id);
    return rows.map((row) => row.id);
  }

  #forget(id: string): void {
    this.#file.run('DELETE FROM item WHERE id = ?', id);
    this.#file.run('DELETE FROM effect WHERE item = ?', id);
  }

  #move(from: ItemState | undefined, to: ItemState | undefined, count: number): void {
    if (count === 0) return;
    const counts = { ...this.#tally.counts };
    if (from) counts[from] -= count;
    if (to) counts[to] += count;
    this.#tally.change(counts);
  }
}

/** The few among millions of done ones are found by their index, the done ones from the newest back. */
const SOURCES: Readonly<Record<ItemState, string>> = {
  waiting: `${UNFINISHED} AND state = ${WAITING}`,
  leased: `${UNFINISHED} AND state = ${LEASED}`,
  done: `item WHERE state = ${DONE}`,
  dead: GIVEN_UP,
};

interface RecordRow {
  readonly id: string;
  readonly kind: ItemKind;
  readonly type: string;
  readonly state: number;
  readonly attempts: number;
  readonly stored_at_ms: number;
  readonly due_at_ms: number;
  readonly result: string | null;
  readonly error: string | null;
  readonly payload?: string | null;
}

function toRecord(row: RecordRow): ItemRecord {
  const { id, kind, type, attempts, payload } = row;
  return {
    id,
    kind,
    type,
    state: ITEM_STATES[row.state] ?? 'dead',
    attempts,
    storedAtMs: row.stored_at_ms,
    dueAtMs: row.due_at_ms,
    result: row.result ?? undefined,
    error: row.error ?? undefined,
    ...(payload && { payload: JSON.parse(payload) }),
  };
}
