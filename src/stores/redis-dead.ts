/** The dead items, BullMQ's failed jobs: back to life, or forgotten. */
import type { Redis } from 'ioredis';
import { isRefusal } from './redis-connection.ts';
import { BEGUN, type RedisEffects } from './redis-effects.ts';
import { jobOf, type RedisQueue } from './redis-queue.ts';

/** Items changed by one call. */
const MAX_CHANGED = 1_000;

/** Prepares an item for another life. KEYS: the dead, the item, its effects. ARGV: its id, now. */
const PREPARE = `
  if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return end
  redis.call('HSET', KEYS[2], 'due', ARGV[2])
  local effects = redis.call('HGETALL', KEYS[3])
  for i = 1, #effects, 2 do
    if string.sub(effects[i + 1], 1, ${BEGUN.length}) == '${BEGUN}' then redis.call('HDEL', KEYS[3], effects[i]) end
  end`;

/** Forgets an item, if it is dead. KEYS: the dead, the item, its effects, its mark against duplicates. ARGV: its id. */
const PURGE = `
  if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  return 1`;

export class RedisDead {
  readonly #redis: Redis;
  readonly #queue: RedisQueue;
  readonly #effects: RedisEffects;

  constructor(redis: Redis, queue: RedisQueue, effects: RedisEffects) {
    this.#redis = redis;
    this.#queue = queue;
    this.#effects = effects;
  }

  /** @param id one item, or the longest dead ones. @returns how many wait again. */
  async revive(id: string | undefined, nowMs: number): Promise<number> {
    const ids = await this.#idsOf(id);
    const revived = await Promise.all(ids.map((dead) => this.#reviveOne(dead, nowMs)));
    return revived.filter(Boolean).length;
  }

  /** @param id one item, or the longest dead ones. @returns how many are forgotten. */
  async purge(id: string | undefined): Promise<number> {
    const ids = await this.#idsOf(id);
    const purged = ids.map((dead) => {
      const keys = [...this.#keysOf(dead), this.#queue.markKey(dead)];
      return this.#redis.eval(PURGE, keys.length, ...keys, dead);
    });
    return (await Promise.all(purged)).filter((count) => count === 1).length;
  }

  /** Both scripts leave alone what is not dead any more. They are sent together, so nothing of ours comes between. */
  async #reviveOne(id: string, nowMs: number): Promise<boolean> {
    const keys = this.#keysOf(id);
    const prepared = this.#redis.eval(PREPARE, keys.length, ...keys, id, nowMs);
    const revived = this.#queue.retryFinishedJob(jobOf(id), 'failed', {
      resetAttemptsMade: true,
      resetAttemptsStarted: true,
    });
    const outcomes = await Promise.allSettled([prepared, revived]);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure && !isRefusal(failure.reason)) throw failure.reason;
    return !failure;
  }

  async #idsOf(id: string | undefined): Promise<string[]> {
    return id === undefined ? await this.#redis.zrange(this.#queue.toKey('failed'), 0, MAX_CHANGED - 1) : [id];
  }

  #keysOf(id: string): string[] {
    return [this.#queue.toKey('failed'), this.#queue.toKey(id), this.#effects.keyOf(id)];
  }
}
