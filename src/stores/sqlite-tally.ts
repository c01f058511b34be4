/**
 * Counts that a file keeps of its own rows, since counting or adding up a million of them takes seconds.
 *
 * The one row of the table `tally`, which the schema of the file makes, with a column for each count. In memory the counts
 * are those of the open transaction; they reach the file with its commit, and a rollback takes them back from there.
 */
import type { SqliteFile } from './sqlite-file.ts';

export type Counts<Name extends string> = Readonly<Record<Name, number>>;

export class SqliteTally<Name extends string> {
  readonly #file: SqliteFile;
  readonly #names: readonly Name[];
  #counts: Counts<Name>;
  #isChanged = false;

  /** @param names of the columns, as the schema has them. */
  constructor(file: SqliteFile, names: readonly Name[]) {
    this.#file = file;
    this.#names = names;
    this.#counts = this.#read();
  }

  get counts(): Counts<Name> {
    return this.#counts;
  }

  change(counts: Partial<Counts<Name>>): void {
    this.#counts = { ...this.#counts, ...counts };
    this.#isChanged = true;
  }

  /** Writes what has changed, and ends the transaction. */
  commit(): void {
    if (this.#isChanged) {
      const assignments = this.#names.map((name) => `${name} = ?`).join(', ');
      this.#file.run(`UPDATE tally SET ${assignments}`, ...this.#names.map((name) => this.#counts[name]));
      this.#isChanged = false;
    }
    this.#file.commit();
  }

  rollback(): void {
    this.#file.rollback();
    this.#counts = this.#read();
    this.#isChanged = false;
  }

  /** Copied: libsql puts more into a row than was asked for. */
  #read(): Counts<Name> {
    const row = this.#file.get<Counts<Name>>(`SELECT ${this.#names.join(', ')} FROM tally`);
    return Object.fromEntries(this.#names.map((name) => [name, row?.[name] ?? 0])) as Record<Name, number>;
  }
}
