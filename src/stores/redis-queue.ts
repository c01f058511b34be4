/**
 * The inbox as a BullMQ queue: what each of its calls does to the keys, in one atomic step, and nothing of connections.
 *
 * BullMQ brings the data model and the scripts over it: waiting, delayed, active, completed and failed jobs, their locks,
 * the recovery of stalled ones, and boards to look at them with. This stands on its Redis backend, the layer under its
 * `Queue` and `Worker`, since those leave open what the inbox promises: `Queue.addBulk` is no transaction and does not
 * tell a duplicate, a job's data is not emptied in the step that completes it, and a `Worker` that blocks for a job
 * cannot be told to stop, and leases a job for which nobody waits any longer.
 */
import { randomUUID } from 'node:crypto';
import {
  RedisConnection as BullConnection,
  type IRedisTransaction,
  type JobJson,
  type MinimalJob,
  QueueKeys,
  RedisQueueBackend,
  type WorkerOptions,
} from 'bullmq';
import type { ChainableCommander, Redis } from 'ioredis';
import { type ClaimedItem, DEDUPE_MS, type NewItem } from '../webhooks/inbox.ts';
import { repliesOf } from './redis-effects.ts';
import { kindOf } from './redis-records.ts';

const QUEUE = 'inbox';
/** Records of what is done, without their payloads: this many, and for as long as their ids answer duplicates. */
const KEEP_DONE = { count: 10_000, age: DEDUPE_MS / 1_000 };
/** BullMQ's stream of what happens, results included: nobody here reads it. */
const KEEP_EVENTS = 100;

/** What was leased, with the key to its lock; or, when nothing is due, when something will be. */
export type Taken =
  | { readonly item: ClaimedItem; readonly token: string }
  | { readonly item: undefined; readonly nextDueAtMs: number };

export class RedisQueue extends RedisQueueBackend {
  /** How often to call `moveStalledJobsToWait`; called by anybody sooner than this after the last, it does nothing. */
  readonly lookEveryMs: number;
  readonly #redis: Redis;
  readonly #leaseMs: number;

  constructor(redis: Redis, prefix: string, leaseMs: number) {
    const lookEveryMs = Math.ceil(leaseMs / 2);
    const connection = new BullConnection(redis, {
      shared: true,
      blocking: false,
      skipVersionCheck: true, // it prints to the console
      skipWaitingForReady: true, // a call while Redis is away fails at once
    });
    const options: WorkerOptions = {
      connection: redis,
      prefix,
      lockDuration: leaseMs,
      stalledInterval: lookEveryMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // how many attempts an item gets is for the workers to say
    };
    const keys = new QueueKeys(prefix);
    super(connection, QUEUE, keys.getKeys(QUEUE), (type) => keys.toKey(QUEUE, type), options);
    this.on('error', () => {}); // told by whoever owns the connection
    this.lookEveryMs = lookEveryMs;
    this.#redis = redis;
    this.#leaseMs = leaseMs;
  }

  /** To be called when Redis is there, and perhaps empty. */
  async prepare(): Promise<void> {
    await this.setQueueMeta({ 'opts.maxLenEvents': KEEP_EVENTS });
  }

  /** How many are in the line: a delayed item joins it when it is due and somebody takes one. */
  countInLine(): Promise<number> {
    return this.#redis.llen(this.toKey('wait'));
  }

  /** Passes on a wake-up that came when nobody here waited for it any longer. */
  async wakeAnother(): Promise<void> {
    await this.#redis.zadd(this.wakeKey, 0, '0');
  }

  /** The set whose members wake those who block on it: BullMQ adds one when there may be something to take. */
  get wakeKey(): string {
    return this.toKey('marker');
  }

  /**
   * Stores items, each id once, in one transaction. It begins with a look at the ids, so that what it tells is exact
   * whoever else adds: a known id has a job, or the mark that BullMQ sets in the step that adds one, and that outlives it.
   *
   * @returns the ids that are new, and how many items wait now.
   */
  async add(items: readonly NewItem[], nowMs: number): Promise<{ added: Set<string>; waiting: number }> {
    const transaction = (await this.client).multi();
    const commands = commandsOf(transaction);
    for (const { id } of items) commands.exists(this.toKey(id), this.markKey(id));
    for (const item of items) void this.addJobToTransaction(transaction, toJob(item, nowMs), item.id);
    commands.llen(this.toKey('wait')).zcard(this.toKey('delayed'));
    const replies = await repliesOf<number>(commands);
    const [wait = 0, delayed = 0] = replies.slice(-2);
    const added = items.filter((_, i) => replies[i] === 0).map(({ id }) => id);
    return { added: new Set(added), waiting: wait + delayed };
  }

  /** Leases the next item that is due, and counts an attempt. */
  async take(): Promise<Taken> {
    const token = randomUUID();
    const [job, id, , nextDueAtMs] = (await this.moveToActive(token)) as [JobJson | null, string, number, number];
    if (!job) return { item: undefined, nextDueAtMs: nextDueAtMs || Number.POSITIVE_INFINITY };
    const { name: type, attemptsStarted: attempt, timestamp: storedAtMs } = job;
    return { item: { id, kind: kindOf(id), type, attempt, payload: JSON.parse(job.data), storedAtMs }, token };
  }

  async extend(id: string, token: string): Promise<boolean> {
    return (await this.extendLock(id, token, this.#leaseMs)) === 1;
  }

  /** Like the next two, rejects with a refusal when `token` does not open the item's lock. */
  async complete(id: string, token: string, result: string | undefined, nowMs: number): Promise<void> {
    const value = JSON.stringify(result ?? null);
    const end = [KEEP_DONE, 'completed', token, nowMs, false, { data: '{}' }] as const;
    await this.moveToFinished(id, this.moveToFinishedArgs(jobOf(id), value, 'returnvalue', ...end));
  }

  async putBack(id: string, token: string, nowMs: number, delayMs: number, error: string): Promise<void> {
    const fieldsToUpdate = { failedReason: error, due: nowMs + delayMs };
    await this.moveToDelayed(id, nowMs, Math.ceil(delayMs), token, { skipAttempt: true, fieldsToUpdate });
  }

  async bury(id: string, token: string, error: string): Promise<void> {
    await this.moveToFailed(jobOf(id), error, false, token, false);
  }

  /** What BullMQ remembers an id by, beyond its job. */
  markKey(id: string): string {
    return this.toKey(`de:${id}`);
  }
}

function toJob({ id, type, payload, delayMs = 0 }: NewItem, nowMs: number): JobJson {
  const opts = { jobId: id, delay: Math.ceil(delayMs), attempts: 0, deduplication: { id, ttl: DEDUPE_MS } };
  const data = JSON.stringify(payload);
  const counts = { progress: 0, attemptsMade: 0, attemptsStarted: 0, stalledCounter: 0 };
  const outcome = { failedReason: '', returnvalue: '' };
  return { id, name: type, data, opts, timestamp: nowMs, deduplicationId: id, ...counts, ...outcome };
}

/** All that the scripts read of a job. */
export const jobOf = (id: string) => ({ id, opts: { attempts: 0 } }) as MinimalJob;

/** The same transaction, with the commands that BullMQ does not use. */
const commandsOf = (transaction: IRedisTransaction) => transaction as unknown as ChainableCommander;
