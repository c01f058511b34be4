import type { Clock } from '../../src/clock.ts';
import { FlowgateError } from '../../src/errors.ts';
import {
  checkKey,
  checkWrite,
  type StateRecord,
  type StateStore,
  type StateWrite,
} from '../../src/state/state-store.ts';

interface Entry {
  readonly record: StateRecord;
  readonly expiresAtMs: number;
}

/** A state store that forgets everything at the end of the test, and whose time passes only when the clock's does. */
export class MemoryState implements StateStore {
  /** Set it, and every call rejects with `STATE_UNAVAILABLE` and this message. */
  failure: string | undefined;
  isClosed = false;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** The last version of each key, whether its record lives or not. */
  readonly #versions = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The keys of what has not expired. */
  get keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#find(key));
  }

  async get(key: string): Promise<StateRecord | undefined> {
    this.#check(key);
    return this.#find(key);
  }

  async put(key: string, write: StateWrite): Promise<number | undefined> {
    checkWrite(write);
    this.#check(key);
    const { value, ttlMs, ifVersion } = write;
    if (ifVersion !== undefined && ifVersion !== (this.#find(key)?.version ?? 0)) return undefined;
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    this.#entries.set(key, { record: { value, version }, expiresAtMs: this.#clock.nowMs() + ttlMs });
    return version;
  }

  async delete(key: string, ifVersion?: number): Promise<boolean> {
    this.#check(key);
    const found = this.#find(key);
    if (!found || (ifVersion !== undefined && ifVersion !== found.version)) return false;
    return this.#entries.delete(key);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #check(key: string): void {
    checkKey(key);
    if (this.isClosed) throw new FlowgateError('STATE_UNAVAILABLE', 'the state is closed');
    if (this.failure !== undefined) throw new FlowgateError('STATE_UNAVAILABLE', this.failure);
  }

  #find(key: string): StateRecord | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.expiresAtMs > this.#clock.nowMs() ? entry.record : undefined;
  }
}
