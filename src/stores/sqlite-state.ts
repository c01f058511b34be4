/** The embedded state: one SQLite file beside the inbox's, owned by a thread of this process. */
import { FlowgateError } from '../errors.ts';
import { checkKey, checkWrite, type StateRecord, type StateStore, type StateWrite } from '../state/state-store.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { LOCK_WAIT_MS, makePrivateFile, openFailure } from './own-file.ts';

/** Keys and values together: a million sessions of 1 KiB. What has expired makes room first. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** What a waiting call takes beside its text. */
const CALL_CHARS = 300;
/** How often expired records are looked for, and how soon again when there are more of them. */
const PURGE_EVERY_MS = 10_000;
const PURGE_MORE_AFTER_MS = 100;

export interface SqliteStateOptions extends GroupCommitOptions {
  /** Where the file is, or is made; `:memory:` keeps everything in the process, for tests. */
  readonly path: string;
  /** A write that would take more rejects with `STATE_UNAVAILABLE`. */
  readonly maxBytes?: number;
  /** How long to wait for another process to let go of the file. */
  readonly lockWaitMs?: number;
}

/** Rejects with `INBOX_LOCKED` when another process has the file, or with `INBOX_OPEN_FAILED`. */
export async function openSqliteState(options: SqliteStateOptions): Promise<StateStore> {
  const { path, clock, lockWaitMs = LOCK_WAIT_MS } = options;
  if (path !== ':memory:') makePrivateFile(path, 'state');
  const openedAtMs = clock.nowMs();
  const openedEpochMs = clock.epochMs();
  const nowMs = () => Math.round(openedEpochMs + clock.nowMs() - openedAtMs);
  const commit = await GroupCommit.start({ kind: 'state', path, nowMs: nowMs(), lockWaitMs }, options);
  if (typeof commit === 'string') throw openFailure(path, commit, 'state');
  return new SqliteState(commit, nowMs, options);
}

class SqliteState implements StateStore {
  readonly #commit: GroupCommit<'state'>;
  /** Epoch ms, but from the monotonic clock since the start: a jump of the wall clock ends no record. */
  readonly #nowMs: () => number;
  readonly #options: SqliteStateOptions;
  #cancelPurge = () => {};
  #isClosed = false;

  constructor(commit: GroupCommit<'state'>, nowMs: () => number, options: SqliteStateOptions) {
    this.#commit = commit;
    this.#nowMs = nowMs;
    this.#options = options;
    this.#schedulePurge(PURGE_EVERY_MS);
  }

  async get(key: string): Promise<StateRecord | undefined> {
    checkKey(key);
    return await this.#commit.call(CALL_CHARS, 'get', key, this.#nowMs());
  }

  async put(key: string, write: StateWrite): Promise<number | undefined> {
    checkKey(key);
    checkWrite(write);
    const { value, ttlMs, ifVersion } = write;
    const { maxBytes = MAX_FILE_BYTES } = this.#options;
    const chars = CALL_CHARS + value.length;
    const put = await this.#commit.call(chars, 'put', key, value, Math.ceil(ttlMs), ifVersion, maxBytes, this.#nowMs());
    if (put === 'FULL')
      throw new FlowgateError('STATE_UNAVAILABLE', `the state file holds all it may, ${maxBytes} bytes`);
    return put;
  }

  async delete(key: string, ifVersion?: number): Promise<boolean> {
    checkKey(key);
    return await this.#commit.call(CALL_CHARS, 'delete', key, ifVersion, this.#nowMs());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPurge();
    await this.#commit.close();
  }

  #schedulePurge(afterMs: number): void {
    this.#cancelPurge = this.#options.clock.after(afterMs, async () => {
      const isMore = await this.#commit.call(CALL_CHARS, 'purge', this.#nowMs()).catch(() => false);
      if (!this.#isClosed) this.#schedulePurge(isMore ? PURGE_MORE_AFTER_MS : PURGE_EVERY_MS);
    });
  }
}
