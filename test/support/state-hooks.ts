import type { StateRecord, StateStore, StateWrite } from '../../src/state/state-store.ts';

type CallName = 'get' | 'put' | 'delete';

/** A state store whose calls a test can hold back, change or count. */
export class HookedState implements StateStore {
  /** Awaited before each call reaches the store: what it throws, the call rejects with. */
  before: (call: CallName) => unknown = () => {};
  /** Awaited after it: what it throws, the call rejects with, and the store has done it all the same. */
  after: (call: CallName) => unknown = () => {};
  /** What was asked, in order. */
  readonly calls: CallName[] = [];
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  get(key: string): Promise<StateRecord | undefined> {
    return this.#call('get', () => this.#store.get(key));
  }

  put(key: string, write: StateWrite): Promise<number | undefined> {
    return this.#call('put', () => this.#store.put(key, write));
  }

  delete(key: string, ifVersion?: number): Promise<boolean> {
    return this.#call('delete', () => this.#store.delete(key, ifVersion));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #call<T>(name: CallName, ask: () => Promise<T>): Promise<T> {
    this.calls.push(name);
    await this.before(name);
    const result = await ask();
    await this.after(name);
    return result;
  }
}
