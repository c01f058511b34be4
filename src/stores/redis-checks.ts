/** What is looked at whenever Redis can be reached (again): whether it keeps what it is given, and whether it did. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { repliesOf } from './redis-effects.ts';

export class RedisChecks {
  readonly #redis: Redis;
  readonly #markKey: string;
  readonly #log: Logger;
  /** The mark that tells this Redis from one that has lost everything. */
  #mark: string | undefined;
  #told = '';

  constructor(redis: Redis, markKey: string, log: Logger) {
    this.#redis = redis;
    this.#markKey = markKey;
    this.#log = log;
  }

  async run(): Promise<void> {
    await this.#checkMark();
    await this.#checkSettings();
  }

  /** Whoever finds no mark sets one; whoever finds another than it knew has lost what it had stored. */
  async #checkMark(): Promise<void> {
    const marking = this.#redis.multi().set(this.#markKey, randomUUID(), 'NX').get(this.#markKey);
    const [, mark] = await repliesOf<string>(marking);
    if (this.#mark !== undefined && this.#mark !== mark) {
      this.#log.error(
        { code: 'INBOX_LOST' },
        'Redis came back without the stored events: those not yet handled are lost',
      );
    }
    this.#mark = mark;
  }

  /** Tells what the settings of Redis put at risk, once, and again when they have changed. */
  async #checkSettings(): Promise<void> {
    const settings = await readSettings(this.#redis);
    const told = JSON.stringify(settings);
    if (told === this.#told) return;
    this.#told = told;
    if (settings) for (const risk of risksOf(settings)) this.#log.warn({ setting: risk.setting }, risk.message);
    else this.#log.info('Redis does not show its settings: whether it evicts or loses stored events was not checked');
  }
}

/** @returns undefined when Redis does not show them: a managed one often forbids it. */
export async function readSettings(redis: Redis): Promise<Settings | undefined> {
  const read = async (name: string) => ((await redis.config('GET', name)) as string[])[1] ?? '';
  try {
    const [policy, log, sync] = await Promise.all(['maxmemory-policy', 'appendonly', 'appendfsync'].map(read));
    return policy && log && sync ? { policy, log, sync } : undefined;
  } catch {
    return undefined;
  }
}

export interface Settings {
  readonly policy: string;
  readonly log: string;
  readonly sync: string;
}

export interface Risk {
  readonly setting: string;
  readonly message: string;
  /** More than the last second is at stake. */
  readonly isGrave: boolean;
}

export function risksOf({ policy, log, sync }: Settings): Risk[] {
  const risks: Risk[] = [];
  if (policy !== 'noeviction') {
    const message = 'Redis may evict stored events when its memory is full; "noeviction" prevents it';
    risks.push({ setting: `maxmemory-policy ${policy}`, message, isGrave: true });
  }
  if (log !== 'yes') {
    const message = 'a crash of Redis loses every event stored since its last snapshot; "appendonly yes" prevents it';
    risks.push({ setting: `appendonly ${log}`, message, isGrave: true });
  } else if (sync !== 'always') {
    const window = sync === 'everysec' ? 'up to one second' : 'what the system had not written yet, often 30 seconds,';
    const message = `a crash of Redis loses ${window} of acknowledged events; "appendfsync always" prevents it`;
    risks.push({ setting: `appendfsync ${sync}`, message, isGrave: sync !== 'everysec' });
  }
  return risks;
}
