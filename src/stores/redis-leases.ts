/** What this process has leased from the queue, and how it waits for more. */
import type { Clock } from '../clock.ts';
import { CLAIM_WAIT_MS, type Claim, type ClaimedItem } from '../webhooks/inbox.ts';
import { isRefusal, type RedisConnection } from './redis-connection.ts';
import type { RedisQueue, Taken } from './redis-queue.ts';

/** How often a claim looks for itself while it cannot block for the next item. */
const POLL_MS = 100;
const NOTHING: Taken = { item: undefined, nextDueAtMs: 0 };

export interface RedisLeasesOptions {
  readonly queue: RedisQueue;
  readonly connection: RedisConnection;
  /** For the one command that blocks. */
  readonly blocking: RedisConnection;
  readonly clock: Clock;
  readonly leaseMs: number;
}

export class RedisLeases {
  readonly #queue: RedisQueue;
  readonly #connection: RedisConnection;
  readonly #blocking: RedisConnection;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #held = new Map<string, Held>();
  /** Claims that wait. */
  #waiting = 0;
  #wakeUp: Promise<void> | undefined;
  #cancelLook = () => {};
  #isClosed = false;

  constructor({ queue, connection, blocking, clock, leaseMs }: RedisLeasesOptions) {
    this.#queue = queue;
    this.#connection = connection;
    this.#blocking = blocking;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#scheduleLook();
  }

  async claim(max: number, signal: AbortSignal): Promise<ClaimedItem[]> {
    const untilMs = this.#clock.nowMs() + CLAIM_WAIT_MS;
    while (!signal.aborted) {
      const { items, nextDueAtMs } = await this.#take(max);
      if (items.length > 0) return items;
      const leftMs = untilMs - this.#clock.nowMs();
      if (leftMs <= 0) break;
      const untilDueMs = nextDueAtMs - this.#clock.epochMs();
      await this.#wait(Math.max(1, Math.min(leftMs, untilDueMs)), signal);
      if (this.#isClosed) break;
    }
    return [];
  }

  async renew(claim: Claim): Promise<boolean> {
    const held = this.#heldBy(claim);
    if (!held) return false;
    const isRenewed = await this.#unlessLost(() => this.#queue.extend(claim.id, held.token));
    if (isRenewed) held.untilMs = this.#clock.nowMs() + this.#leaseMs;
    else this.#letGo(claim.id, held);
    return isRenewed;
  }

  /** Ends the hold on an item, by an act that Redis refuses to a token whose lease was lost. */
  async finish(claim: Claim, act: (token: string) => Promise<void>): Promise<boolean> {
    const held = this.#heldBy(claim);
    if (!held) return false;
    const isFinished = await this.#unlessLost(() => act(held.token).then(() => true));
    this.#letGo(claim.id, held);
    return isFinished;
  }

  /** Claims that wait resolve empty. */
  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    this.#blocking.redis.disconnect();
  }

  /** One item, and when there is one, as many more as are in the line, in one go. */
  async #take(max: number): Promise<{ items: ClaimedItem[]; nextDueAtMs: number }> {
    const first = await this.#connection.ask(() => this.#queue.take());
    if (!first.item) return { items: [], nextDueAtMs: first.nextDueAtMs };
    const inLine = max > 1 ? await this.#queue.countInLine().catch(() => 0) : 0;
    const more = Array.from({ length: Math.min(max - 1, inLine) }, () => this.#queue.take());
    const others = await Promise.allSettled(more); // one that fails must not lose those that are leased by now
    const taken = [first, ...others.map((other) => (other.status === 'fulfilled' ? other.value : NOTHING))];
    return { items: taken.flatMap((one) => (one.item ? [this.#hold(one.item, one.token)] : [])), nextDueAtMs: 0 };
  }

  /** Resolves after `ms`, when there may be something to take, or when `signal` aborts. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    this.#waiting += 1;
    return new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done(); // it did before anybody listened
      void this.#blocked().then(done);
    }).finally(() => (this.#waiting -= 1));
  }

  /** Blocks once for all claims of this process. It takes no item, so it may outlast them. */
  #blocked(): Promise<void> {
    this.#wakeUp ??= this.#block().finally(() => (this.#wakeUp = undefined));
    return this.#wakeUp;
  }

  async #block(): Promise<void> {
    const { redis } = this.#blocking;
    try {
      const woken = await this.#blocking.ask(() => redis.bzpopmin(this.#queue.wakeKey, CLAIM_WAIT_MS / 1_000));
      if (woken && this.#waiting === 0) await this.#queue.wakeAnother();
    } catch {
      if (!this.#isClosed) await new Promise<void>((resolve) => this.#clock.after(POLL_MS, resolve));
    }
  }

  #hold(item: ClaimedItem, token: string): ClaimedItem {
    this.#held.set(item.id, { attempt: item.attempt, token, untilMs: this.#clock.nowMs() + this.#leaseMs });
    return item;
  }

  #heldBy({ id, attempt }: Claim): Held | undefined {
    const held = this.#held.get(id);
    return held?.attempt === attempt ? held : undefined;
  }

  /** The item may be held anew by now: what was put back can be claimed before its caller hears that it was. */
  #letGo(id: string, held: Held): void {
    if (this.#held.get(id) === held) this.#held.delete(id);
  }

  async #unlessLost(act: () => Promise<boolean>): Promise<boolean> {
    try {
      return await this.#connection.ask(act);
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  /** An item without a lock is seen at one look and given back at the next: within a lease after its own has ended. */
  #scheduleLook(): void {
    this.#cancelLook = this.#clock.after(this.#queue.lookEveryMs, async () => {
      this.#dropLost();
      await this.#connection.ask(() => this.#queue.moveStalledJobsToWait()).catch(() => {});
      if (!this.#isClosed) this.#scheduleLook();
    });
  }

  /** Forgets what nobody finished in time; Redis no longer knows the token. */
  #dropLost(): void {
    const longAgoMs = this.#clock.nowMs() - this.#leaseMs;
    for (const [id, { untilMs }] of this.#held) if (untilMs < longAgoMs) this.#held.delete(id);
  }
}

/** A lease as this process knows it. */
interface Held {
  readonly attempt: number;
  /** Opens the lock of this attempt and no other. */
  readonly token: string;
  untilMs: number;
}
