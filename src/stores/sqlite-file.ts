/** One SQLite file that this process alone owns: opened, checked, and spoken to in prepared statements. Blocks on the disk. */
import Database from 'libsql';

/** A checkpoint copies the log into the file and syncs both: rarely, so that few commits wait for one. 4,000 pages are 16 MB. */
const CHECKPOINT_PAGES = 4_000;

export class NewerSchemaError extends Error {}

export interface SqliteFileOptions {
  /** How long to wait for another process to let go of the file. */
  readonly lockWaitMs: number;
  /** FULL: a commit survives a power failure. NORMAL: it survives the end of the process, and costs no sync. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  readonly checkpointPages?: number;
}

export class SqliteFile {
  readonly #db: Database.Database;
  readonly #prepared = new Map<string, Database.Statement>();

  /**
   * Opens or makes the file, takes it for this process alone, and leaves a transaction open.
   *
   * @param schema what a new file is made with; it sets `user_version` to `version`.
   * @throws SqliteError, its code telling what is wrong with the file, or a `NewerSchemaError`.
   */
  constructor(path: string, schema: string, version: number, options: SqliteFileOptions) {
    const { lockWaitMs, synchronous = 'FULL', checkpointPages = CHECKPOINT_PAGES } = options;
    this.#db = new Database(path, { timeout: lockWaitMs });
    this.#db.exec('PRAGMA locking_mode = EXCLUSIVE');
    this.#db.exec('PRAGMA journal_mode = WAL');
    this.#db.exec(`PRAGMA synchronous = ${synchronous}`);
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    this.begin(); // takes the lock, which is kept from here on
    const found = this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
    if (found > version) throw new NewerSchemaError(`version ${found}`);
    if (found === 0) this.#db.exec(schema);
  }

  begin(): void {
    this.run('BEGIN IMMEDIATE');
  }

  /** Resolves the open transaction; when this returns, it is on the disk. */
  commit(): void {
    this.run('COMMIT');
  }

  rollback(): void {
    if (this.#db.inTransaction) this.run('ROLLBACK');
  }

  close(): void {
    this.#db.close();
  }

  /** A statement, prepared once for each text: the texts must be few. */
  statement(sql: string): Database.Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  run(sql: string, ...values: unknown[]): void {
    this.statement(sql).run(...values);
  }

  /** @returns true when a row was changed. */
  change(sql: string, ...values: unknown[]): boolean {
    return this.statement(sql).run(...values).changes > 0;
  }

  get<Row>(sql: string, ...values: unknown[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }
}
