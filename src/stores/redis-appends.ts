/**
 * Appends to the shared inbox, gathered: while one transaction is on its way, the next gathers here, whoever calls.
 *
 * A transaction of its own for each delivery costs 180 us of this process, most of it ioredis and BullMQ setting it up;
 * a crowd shares that (bench/webhook-intake.ts).
 */
import type { Clock } from '../clock.ts';
import type { NewItem } from '../webhooks/inbox.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisQueue } from './redis-queue.ts';

/** Redis does nothing else during a transaction: 256 items keep it for some 10 ms. */
const MAX_GROUP_ITEMS = 256;

interface Append {
  readonly items: readonly NewItem[];
  readonly resolve: (isNew: readonly boolean[]) => void;
  readonly reject: (error: unknown) => void;
}

export class RedisAppends {
  readonly #connection: RedisConnection;
  readonly #queue: RedisQueue;
  readonly #clock: Clock;
  #gathered: Append[] = [];
  #isSending = false;
  /** Items that wait, by the last transaction. */
  waiting = 0;

  constructor(connection: RedisConnection, queue: RedisQueue, clock: Clock) {
    this.#connection = connection;
    this.#queue = queue;
    this.#clock = clock;
  }

  append(items: readonly NewItem[]): Promise<readonly boolean[]> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ items, resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#gathered.length > 0) {
      const group = this.#takeGroup();
      try {
        const items = group.flatMap((append) => append.items);
        const { added, waiting } = await this.#connection.ask(() => this.#queue.add(items, this.#clock.epochMs()));
        this.waiting = waiting;
        // True once: what stands there again, in this append or in a later one, is a duplicate.
        for (const append of group) append.resolve(append.items.map(({ id }) => added.delete(id)));
      } catch (error) {
        // Whoever gathered behind a Redis that hangs has waited as long, and must not wait as long again.
        for (const append of [...group, ...this.#gathered.splice(0)]) append.reject(error);
      }
    }
    this.#isSending = false;
  }

  /** At least one append, whole. */
  #takeGroup(): Append[] {
    let count = 0;
    const fitting = this.#gathered.findIndex(({ items }) => {
      count += items.length;
      return count > MAX_GROUP_ITEMS;
    });
    return this.#gathered.splice(0, fitting === -1 ? this.#gathered.length : Math.max(1, fitting));
  }
}
