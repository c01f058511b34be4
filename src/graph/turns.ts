/**
 * Lets messages of one number go no faster than Meta takes them: each waits for its turn, first come first served among
 * those who may go.
 *
 * In this process alone: several that send from one number have a pace each, and Meta tells (130429, 131056) when it is
 * too much in all.
 */
import { wholeNumber } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { type GraphError, unsent } from './graph-error.ts';
import { PairBuckets, PerSecond } from './send-limits.ts';

export interface PaceOptions {
  /** What Meta lets the number send, 1 to 1,000: 80 by default. With several processes, the share of this one. */
  readonly messagesPerSecond?: number | undefined;
  /** How many messages may wait for their turn, 0 to 100,000: 1,000 by default. */
  readonly maxWaiting?: number | undefined;
  /** Told how long each message that had to wait for its turn did. */
  readonly onTurn?: ((waitedMs: number) => void) | undefined;
}

/** How long one may wait. */
interface Bounds {
  readonly untilMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Waiter {
  readonly user: string;
  readonly untilMs: number;
  readonly sinceMs: number;
  readonly go: () => void;
  readonly refuse: (failure: GraphError) => void;
}

export class Turns {
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #onTurn: (waitedMs: number) => void;
  readonly #number: PerSecond;
  readonly #pairs = new PairBuckets();
  readonly #waiters = new Set<Waiter>();
  #cancelTimer = () => {};

  /** @throws TypeError naming the option that is out of bounds. */
  constructor({ messagesPerSecond = 80, maxWaiting = 1_000, onTurn = () => {} }: PaceOptions, clock: Clock) {
    wholeNumber('messagesPerSecond', messagesPerSecond, 1, 1_000);
    wholeNumber('maxWaiting', maxWaiting, 0, 100_000);
    this.#number = new PerSecond(messagesPerSecond);
    this.#maxWaiting = maxWaiting;
    this.#onTurn = onTurn;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves when one message may go to that user, who is then charged with it. Rejects with a GraphError of kind
   * `unsent` as soon as it is known that the turn will not come in time, and with the reason of a signal that is aborted
   * from the start.
   */
  async take(user: string, { untilMs, signal }: Bounds): Promise<void> {
    signal?.throwIfAborted();
    let giveUp: (() => void) | undefined;
    try {
      await new Promise<void>((go, refuse) => {
        const waiter: Waiter = { user, untilMs, sinceMs: this.#clock.nowMs(), go, refuse };
        giveUp = () => this.#remove(waiter, unsent('its caller gave up before its turn came'));
        this.#enter(waiter);
        signal?.addEventListener('abort', giveUp);
      });
    } finally {
      if (giveUp) signal?.removeEventListener('abort', giveUp);
    }
  }

  #enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#advance();
    if (this.#waiters.has(waiter) && this.#waiters.size > this.#maxWaiting) {
      this.#remove(waiter, unsent(`${this.#maxWaiting} others wait for their turn already`));
    }
  }

  #remove(waiter: Waiter, failure: GraphError): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.refuse(failure);
    this.#advance();
  }

  /** Settles whoever can be, and comes again when the next one may go: nobody is left waiting beyond its time. */
  #advance(): void {
    const nowMs = this.#clock.nowMs();
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      const atMs = Math.max(this.#number.freeAtMs(), this.#pairs.freeAtMs(waiter.user));
      if (atMs <= nowMs) this.#letGo(waiter, nowMs);
      else if (atMs > waiter.untilMs) this.#refuse(waiter, atMs - nowMs);
      else nextAtMs = Math.min(nextAtMs, atMs);
    }
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    if (nextAtMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.after(Math.ceil(nextAtMs - nowMs), () => this.#advance());
  }

  #letGo(waiter: Waiter, nowMs: number): void {
    this.#waiters.delete(waiter);
    this.#number.take(nowMs);
    this.#pairs.take(waiter.user, nowMs);
    waiter.go();
    if (nowMs > waiter.sinceMs) this.#onTurn(nowMs - waiter.sinceMs);
  }

  #refuse(waiter: Waiter, retryAfterMs: number): void {
    this.#waiters.delete(waiter);
    const isPair = this.#pairs.freeAtMs(waiter.user) > this.#number.freeAtMs();
    const why = isPair
      ? 'this user has had as many messages as Meta allows for now'
      : 'the number has sent as many messages as Meta allows for now';
    waiter.refuse(unsent(why, Math.ceil(retryAfterMs)));
  }
}
