/** The shared inbox: one Redis for any number of processes, as a BullMQ queue. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import {
  CLAIM_WAIT_MS,
  type Claim,
  type ClaimedItem,
  DEFAULT_LEASE_MS,
  DEFAULT_MAX_WAITING,
  type EffectState,
  INBOX_TIMEOUT_MS,
  type Inbox,
  type InboxStats,
  type ItemRecord,
  type ItemState,
  type NewItem,
} from '../webhooks/inbox.ts';
import { RedisAppends } from './redis-appends.ts';
import { RedisChecks } from './redis-checks.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisDead } from './redis-dead.ts';
import { RedisEffects } from './redis-effects.ts';
import { RedisLeases } from './redis-leases.ts';
import { RedisQueue } from './redis-queue.ts';
import { RedisRecords } from './redis-records.ts';

/** Every key begins with this; the braces keep all of them in one slot of a Redis Cluster. */
const DEFAULT_PREFIX = '{flowgate}';
/** While the inbox is full, how often to look whether it still is. */
const RECOUNT_MS = 1_000;

export interface RedisInboxOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseMs?: number;
  /** Items that may wait; an append beyond them rejects with `INBOX_FULL`. Each process may pass it by one append. */
  readonly maxWaiting?: number;
  /** Keep a hash tag in it when Redis is a cluster. */
  readonly prefix?: string;
}

/** Resolves in time also while Redis is away: then the log says so, and Redis is used as soon as it is there. */
export async function openRedisInbox(options: RedisInboxOptions): Promise<Inbox> {
  const { url, clock, log, leaseMs = DEFAULT_LEASE_MS, prefix = DEFAULT_PREFIX } = options;
  const connection = new RedisConnection({ url, clock, log, timeoutMs: INBOX_TIMEOUT_MS });
  const queue = new RedisQueue(connection.redis, prefix, leaseMs);
  const checks = new RedisChecks(connection.redis, `${prefix}:mark`, log);
  const prepare = () => Promise.all([queue.prepare(), checks.run()]);
  await new Promise<void>((resolve) => {
    const cancel = clock.after(INBOX_TIMEOUT_MS, resolve);
    const done = () => {
      cancel();
      resolve();
    };
    connection.redis.on('ready', () => void connection.ask(prepare).then(done, done));
  });
  return new RedisInbox(connection, queue, { ...options, leaseMs, prefix });
}

class RedisInbox implements Inbox {
  readonly engine = 'redis';
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #connection: RedisConnection;
  readonly #queue: RedisQueue;
  readonly #appends: RedisAppends;
  readonly #leases: RedisLeases;
  readonly #dead: RedisDead;
  readonly #records: RedisRecords;
  readonly #effects: RedisEffects;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    connection: RedisConnection,
    queue: RedisQueue,
    options: RedisInboxOptions & Required<Pick<RedisInboxOptions, 'leaseMs' | 'prefix'>>,
  ) {
    const { url, clock, leaseMs, prefix, maxWaiting = DEFAULT_MAX_WAITING } = options;
    const { redis } = connection;
    const blocking = new RedisConnection({ url, clock, timeoutMs: CLAIM_WAIT_MS + INBOX_TIMEOUT_MS });
    this.#clock = clock;
    this.#maxWaiting = maxWaiting;
    this.#connection = connection;
    this.#queue = queue;
    this.#appends = new RedisAppends(connection, queue, clock);
    this.#leases = new RedisLeases({ queue, connection, blocking, clock, leaseMs });
    this.#effects = new RedisEffects(redis, prefix);
    this.#dead = new RedisDead(redis, queue, this.#effects);
    this.#records = new RedisRecords(redis, queue, clock, leaseMs);
  }

  async append(items: readonly NewItem[]): Promise<readonly boolean[]> {
    await this.#refuseWhenFull(items.length);
    return this.#appends.append(items);
  }

  claim(max: number, signal: AbortSignal): Promise<readonly ClaimedItem[]> {
    return this.#leases.claim(max, signal);
  }

  renew(claim: Claim): Promise<boolean> {
    return this.#leases.renew(claim);
  }

  settle(claim: Claim, result?: string): Promise<boolean> {
    return this.#leases.finish(claim, (token) => this.#queue.complete(claim.id, token, result, this.#clock.epochMs()));
  }

  retryAt(claim: Claim, delayMs: number, error: string): Promise<boolean> {
    const nowMs = this.#clock.epochMs();
    return this.#leases.finish(claim, (token) => this.#queue.putBack(claim.id, token, nowMs, delayMs, error));
  }

  dead(claim: Claim, error: string): Promise<boolean> {
    return this.#leases.finish(claim, (token) => this.#queue.bury(claim.id, token, error));
  }

  replay(id?: string): Promise<number> {
    return this.#connection.ask(() => this.#dead.revive(id, this.#clock.epochMs()));
  }

  purge(id?: string): Promise<number> {
    return this.#connection.ask(() => this.#dead.purge(id));
  }

  list(state: ItemState, limit: number): Promise<readonly ItemRecord[]> {
    return this.#connection.ask(() => this.#records.newest(state, limit));
  }

  find(id: string): Promise<ItemRecord | undefined> {
    return this.#connection.ask(() => this.#records.find(id));
  }

  stats(): Promise<InboxStats> {
    return this.#connection.ask(() => this.#records.stats());
  }

  beginEffect(id: string, key: string, by: string = randomUUID()): Promise<EffectState> {
    return this.#connection.ask(() => this.#effects.begin(id, key, by));
  }

  endEffect(id: string, key: string, result: string | undefined): Promise<void> {
    return this.#connection.ask(() => this.#effects.end(id, key, result));
  }

  undoEffect(id: string, key: string): Promise<void> {
    return this.#connection.ask(() => this.#effects.undo(id, key));
  }

  async close(): Promise<void> {
    this.#leases.close();
    await this.#connection.close();
  }

  /** What the last append was told is near enough; once that is full, it is counted anew, not at every append. */
  async #refuseWhenFull(count: number): Promise<void> {
    if (this.#appends.waiting + count <= this.#maxWaiting) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#countedAtMs >= RECOUNT_MS) {
      this.#countedAtMs = nowMs;
      this.#appends.waiting = await this.#connection.ask(() => this.#records.countWaiting());
    }
    if (this.#appends.waiting + count <= this.#maxWaiting) return;
    throw new FlowgateError('INBOX_FULL', `${this.#maxWaiting} items wait: handlers are down or cannot keep up`);
  }
}
