/**
 * Small records that expire: sessions, flow tokens, and the answers of submits that must not run twice.
 *
 * One contract, two engines (`stores/sqlite-state.ts`, `stores/redis-state.ts`), one suite. A record is known by its key
 * and carries a version that grows with every write, so that two requests cannot overwrite each other unseen.
 * A write survives the end of the process. With the embedded store a power failure may take back the last of them, which
 * spares each request a sync of the disk: what must never be lost belongs in the inbox.
 */

/** A record that has not expired. */
export interface StateRecord {
  readonly value: string;
  /** At least 1; larger after every write while the record lives, and never that of a record which stood here before. */
  readonly version: number;
}

export interface StateWrite {
  /** JSON, or other well-formed Unicode: at most `MAX_STATE_CHARS` characters; a TypeError beyond. */
  readonly value: string;
  /** From now on: 1 ms to `MAX_STATE_TTL_MS`; a TypeError beyond. */
  readonly ttlMs: number;
  /** Writes only over this version; 0: only where there is no record. Left out, writes over anything. */
  readonly ifVersion?: number | undefined;
}

/**
 * Each call rejects with `STATE_UNAVAILABLE` within `STATE_TIMEOUT_MS` when the store cannot be asked, is full, or does not
 * answer: then it may do it still.
 */
export interface StateStore {
  /** @returns undefined where there is no record, or it has expired. */
  get(key: string): Promise<StateRecord | undefined>;
  /** @returns the version written; undefined where `ifVersion` was given and another stands there: nothing is written. */
  put(key: string, write: StateWrite): Promise<number | undefined>;
  /** @returns true when there was a record. @param ifVersion deletes only this version. */
  delete(key: string, ifVersion?: number): Promise<boolean>;
  close(): Promise<void>;
}

/** A user waits for the answer. */
export const STATE_TIMEOUT_MS = 250;
/** Twice what an answer may have: the answer of a submit is kept here. */
export const MAX_STATE_CHARS = 2 * 1024 * 1024;
/** Ten years. */
export const MAX_STATE_TTL_MS = 3_652 * 24 * 3_600_000;
/** A key is made of a namespace and a hash: `session:3f...`. Never a token in the clear. */
export const MAX_KEY_CHARS = 200;

/** @throws TypeError */
export function checkKey(key: string): void {
  if (key.length === 0 || key.length > MAX_KEY_CHARS) {
    throw new TypeError(`a state key has 1 to ${MAX_KEY_CHARS} characters, not ${key.length}: put a hash in it`);
  }
}

/** @throws TypeError */
export function checkWrite({ value, ttlMs }: StateWrite): void {
  if (value.length > MAX_STATE_CHARS) {
    throw new TypeError(`a state value has at most ${MAX_STATE_CHARS} characters, not ${value.length}`);
  }
  if (!(ttlMs >= 1 && ttlMs <= MAX_STATE_TTL_MS)) {
    throw new TypeError(`a state record lives 1 to ${MAX_STATE_TTL_MS} ms, not ${ttlMs}`);
  }
}
