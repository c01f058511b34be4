/**
 * The state as a table of one SQLite file: what each of its calls does to it, inside a transaction that its caller opens.
 *
 * Written for the thread that owns the file. Time never goes back in it: the file keeps the latest moment it was written
 * at, and a process that starts with an earlier clock goes on from there. So a clock set back makes no expired record
 * live again; within a process a jump of the wall clock is not even seen. A clock that is too late at the start ends
 * records early: nothing tells that from a server that was off for so long.
 */
import { SqliteFile } from './sqlite-file.ts';
import { SqliteTally } from './sqlite-tally.ts';

/** Bumped with every change of the tables. */
const SCHEMA_VERSION = 1;
/** `last_version` counts every write of the file, so that no version ever comes twice. */
const SCHEMA = `
  CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    is_escaped INTEGER NOT NULL,
    version INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  );
  CREATE INDEX record_expiry ON record (expires_at_ms);
  CREATE TABLE tally (last_version INTEGER NOT NULL, bytes INTEGER NOT NULL, written_at_ms INTEGER NOT NULL);
  INSERT INTO tally VALUES (0, 0, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
const COUNTS = ['last_version', 'bytes', 'written_at_ms'] as const;
/** 4 MB of log: copying it into the file has to fit into a call's time. */
const CHECKPOINT_PAGES = 1_000;
/** libsql gives a text back up to its first one. */
const NUL = '\0';
/** What a record takes beside its text, about. */
const ROW_BYTES = 200;
/** What is forgotten in one go: at most so many records, and no more after so many bytes. */
const PURGE_ROWS = 200;
const PURGE_BYTES = 4 * 1024 * 1024;

export class SqliteRecords {
  readonly #file: SqliteFile;
  readonly #tally: SqliteTally<(typeof COUNTS)[number]>;
  /** How far the file's time is ahead of the process's. */
  readonly #aheadMs: number;

  /** Opens the file at `path` as `SqliteFile` does. */
  constructor(path: string, { nowMs, lockWaitMs }: { nowMs: number; lockWaitMs: number }) {
    const options = { lockWaitMs, synchronous: 'NORMAL', checkpointPages: CHECKPOINT_PAGES } as const;
    this.#file = new SqliteFile(path, SCHEMA, SCHEMA_VERSION, options);
    this.#tally = new SqliteTally(this.#file, COUNTS);
    this.#aheadMs = Math.max(0, this.#tally.counts.written_at_ms - nowMs);
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

  get(key: string, nowMs: number): { value: string; version: number } | undefined {
    const found = this.#file.get<{ value: string; is_escaped: number; version: number }>(
      'SELECT value, is_escaped, version FROM record WHERE key = ? AND expires_at_ms > ?',
      key,
      this.#fileTime(nowMs),
    );
    return found && { value: found.is_escaped ? JSON.parse(found.value) : found.value, version: found.version };
  }

  /** @returns the version written; undefined when `ifVersion` does not stand there; `FULL` beyond `maxBytes` in all. */
  put(
    key: string,
    value: string,
    ttlMs: number,
    ifVersion: number | undefined,
    maxBytes: number,
    nowMs: number,
  ): number | 'FULL' | undefined {
    const atMs = this.#fileTime(nowMs);
    const isEscaped = value.includes(NUL);
    const text = isEscaped ? JSON.stringify(value) : value;
    const bytes = Buffer.byteLength(text) + key.length + ROW_BYTES;
    if (this.#tally.counts.bytes + bytes > maxBytes) this.purge(nowMs);
    const found = this.#find(key);
    const liveVersion = found && found.expires_at_ms > atMs ? found.version : 0;
    if (ifVersion !== undefined && ifVersion !== liveVersion) return undefined;
    const grownBytes = bytes - (found?.bytes ?? 0);
    if (grownBytes > 0 && this.#tally.counts.bytes + grownBytes > maxBytes) return 'FULL';
    this.#count(grownBytes, atMs, 1);
    const version = this.#tally.counts.last_version;
    this.#file.run(
      `INSERT INTO record (key, value, is_escaped, version, bytes, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET
         value = excluded.value, is_escaped = excluded.is_escaped, version = excluded.version, bytes = excluded.bytes, expires_at_ms = excluded.expires_at_ms`,
      key,
      text,
      isEscaped ? 1 : 0,
      version,
      bytes,
      atMs + ttlMs,
    );
    return version;
  }

  delete(key: string, ifVersion: number | undefined, nowMs: number): boolean {
    const atMs = this.#fileTime(nowMs);
    const found = this.#find(key);
    if (!found || found.expires_at_ms <= atMs) return false;
    if (ifVersion !== undefined && ifVersion !== found.version) return false;
    this.#forget(found, atMs);
    return true;
  }

  /** Forgets what has expired, the longest expired first, a bite at a time. @returns true when there may be more. */
  purge(nowMs: number): boolean {
    const atMs = this.#fileTime(nowMs);
    const expired = this.#file.all<Row>(
      'SELECT seq, version, bytes, expires_at_ms FROM record WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?',
      atMs,
      PURGE_ROWS,
    );
    let bytes = 0;
    let rows = 0;
    for (const row of expired) {
      if (bytes >= PURGE_BYTES) break;
      this.#forget(row, atMs);
      bytes += row.bytes;
      rows += 1;
    }
    return rows < expired.length || rows === PURGE_ROWS;
  }

  #find(key: string): Row | undefined {
    return this.#file.get<Row>('SELECT seq, version, bytes, expires_at_ms FROM record WHERE key = ?', key);
  }

  #forget({ seq, bytes }: Row, atMs: number): void {
    this.#file.run('DELETE FROM record WHERE seq = ?', seq);
    this.#count(-bytes, atMs, 0);
  }

  #fileTime(nowMs: number): number {
    return nowMs + this.#aheadMs;
  }

  #count(bytes: number, atMs: number, writes: number): void {
    const { last_version, bytes: bytesBefore, written_at_ms } = this.#tally.counts;
    this.#tally.change({
      last_version: last_version + writes,
      bytes: bytesBefore + bytes,
      written_at_ms: Math.max(written_at_ms, atMs),
    });
  }
}

interface Row {
  readonly seq: number;
  readonly version: number;
  readonly bytes: number;
  readonly expires_at_ms: number;
}
