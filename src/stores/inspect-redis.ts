/** Looks at Redis once, and changes nothing: whether it answers, and whether it keeps what it is given. */
import { once } from 'node:events';
import type { Clock } from '../clock.ts';
import { type Risk, readSettings, risksOf } from './redis-checks.ts';
import { RedisConnection, reasonOf } from './redis-connection.ts';

const ANSWER_TIMEOUT_MS = 3_000;

export interface RedisInspection {
  readonly roundTripMs: number;
  /** Undefined when Redis does not show its settings, as managed ones often do not. */
  readonly risks: readonly Risk[] | undefined;
}

/** @returns what is found, or why Redis cannot be used, in one word. */
export async function inspectRedis(url: string, clock: Clock, signal: AbortSignal): Promise<RedisInspection | string> {
  const connection = new RedisConnection({ url, timeoutMs: ANSWER_TIMEOUT_MS, clock });
  const { redis } = connection;
  try {
    await once(redis, 'ready', { signal }); // rejects with the first error, too
    const startedMs = clock.nowMs();
    await redis.ping();
    const roundTripMs = clock.nowMs() - startedMs;
    const settings = await readSettings(redis);
    return { roundTripMs, risks: settings && risksOf(settings) };
  } catch (error) {
    return signal.aborted ? 'TIMEOUT' : reasonOf(error);
  } finally {
    await connection.close();
  }
}
