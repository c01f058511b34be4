/** What is known of the effects of an item: one hash an item, one field an effect, for as long as its id is known. */
import type { ChainableCommander, Redis } from 'ioredis';
import { DEDUPE_MS, type EffectState } from '../webhooks/inbox.ts';

/** The value of an effect that was begun starts with this, and goes on with who began it; that of one that is done is JSON. */
export const BEGUN = 'begun:';

export class RedisEffects {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  keyOf(id: string): string {
    return `${this.#prefix}:effects:${id}`;
  }

  async begin(id: string, effect: string, by: string): Promise<EffectState> {
    const key = this.keyOf(id);
    const begun = BEGUN + by;
    const commands = this.#redis.multi().hget(key, effect).hsetnx(key, effect, begun).pexpire(key, DEDUPE_MS);
    const [before] = await repliesOf<string | null>(commands);
    if (before === null || before === undefined || before === begun) return { state: 'new' };
    return before.startsWith(BEGUN) ? { state: 'begun' } : { state: 'done', result: JSON.parse(before).result };
  }

  async end(id: string, effect: string, result: string | undefined): Promise<void> {
    const key = this.keyOf(id);
    await repliesOf(this.#redis.multi().hset(key, effect, JSON.stringify({ result })).pexpire(key, DEDUPE_MS));
  }

  async undo(id: string, effect: string): Promise<void> {
    await this.#redis.hdel(this.keyOf(id), effect);
  }
}

/** Runs a transaction. @returns the reply to each command; rejects with the first that is an error. */
export async function repliesOf<T>(transaction: ChainableCommander): Promise<T[]> {
  const replies = (await transaction.exec()) ?? [];
  return replies.map(([error, value]) => {
    if (error) throw error;
    return value as T;
  });
}
