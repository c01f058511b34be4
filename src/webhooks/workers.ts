/** Takes items from the inbox and has them attempted, a bounded number at a time, until told to stop. */
import { setMaxListeners } from 'node:events';
import { pause } from '../clock.ts';
import { type AttemptDeps, runAttempt } from './attempt.ts';
import type { ClaimedItem } from './inbox.ts';

/** More than one claim brings at most: the rest of a crowd is claimed while these are handled. */
const MAX_CLAIM = 64;
/** What is due by then counts as due. */
const SOON_MS = 50;
/** After a claim that failed. */
const CLAIM_AGAIN_MS = 1_000;

export interface InboxWorkersOptions extends AttemptDeps {
  /** Attempts at a time. One that ignores its signal is not counted after its deadline. */
  readonly concurrency: number;
}

export class InboxWorkers {
  readonly #options: InboxWorkersOptions;
  readonly #claiming = new AbortController();
  readonly #running = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  #onFreed = () => {};
  readonly #loop: Promise<void>;

  /** Begins to claim at once. */
  constructor(options: InboxWorkersOptions) {
    this.#options = options;
    setMaxListeners(0, this.#running.signal); // each attempt listens: Node warns of a leak from the eleventh on
    this.#loop = this.#claimAndRun();
  }

  /** Attempts under way. */
  get running(): number {
    return this.#attempts.size;
  }

  /** Claims nothing more, and waits `graceMs` for what runs; then its signals fire, and the items are due again at once. */
  async stop(graceMs: number): Promise<void> {
    this.#claiming.abort();
    const cancel = this.#options.clock.after(graceMs, () => this.#running.abort());
    await this.#loop;
    await Promise.all(this.#attempts);
    cancel();
  }

  /** Resolves when no attempt is under way and no item is due. For tests: it asks the store over and over. */
  async settled(): Promise<void> {
    const { inbox, clock } = this.#options;
    for (;;) {
      const [waiting, { leased }] = await Promise.all([inbox.list('waiting', 1_000), inbox.stats()]);
      const isDue = waiting.some(({ dueAtMs }) => dueAtMs < clock.epochMs() + SOON_MS);
      if (this.#attempts.size > 0) await this.#freed();
      else if (leased === 0 && !isDue) return;
    }
  }

  async #claimAndRun(): Promise<void> {
    const { inbox, concurrency, clock } = this.#options;
    const { signal } = this.#claiming;
    while (!signal.aborted) {
      const free = concurrency - this.#attempts.size;
      if (free === 0) {
        await this.#freed();
        continue;
      }
      try {
        const items = await inbox.claim(Math.min(free, MAX_CLAIM), signal);
        for (const item of items) this.#run(item);
      } catch {
        await pause(clock, CLAIM_AGAIN_MS, signal); // whoever owns the store has logged why
      }
    }
  }

  #run(item: ClaimedItem): void {
    const attempt = runAttempt(item, this.#running.signal, this.#options).finally(() => {
      this.#attempts.delete(attempt);
      this.#onFreed();
    });
    this.#attempts.add(attempt);
  }

  /**
   * Resolves when an attempt has ended, and those that end with it: a commit ends many, and one claim should replace them
   * all. Not `Promise.race`: a long attempt would keep something of every race that it lost.
   */
  async #freed(): Promise<void> {
    await new Promise<void>((resolve) => {
      const next = this.#onFreed;
      this.#onFreed = () => {
        this.#onFreed = () => {};
        next();
        resolve();
      };
    });
    await new Promise(setImmediate);
  }
}
