/** bentocache as `c.cache` uses it: how much it keeps, how long it waits, and what it may not do. */
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import type { Clock } from '../clock.ts';

const PREFIX = 'flowgate:cache';
/** Whichever is reached first. */
const MAX_MEMORY_ENTRIES = 5_000;
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;
/** How long a source is waited for by somebody who can be given a stale value. */
const SOFT_TIMEOUT_MS = 250;

export interface LevelsOptions {
  readonly redisUrl?: string | undefined;
  readonly prefix?: string;
}

/** Resolves when they can be used: without Redis at once, and with one that is away after 250 ms. */
export async function openLevels({ redisUrl, prefix = PREFIX }: LevelsOptions, clock: Clock) {
  const memory = memoryDriver({ maxItems: MAX_MEMORY_ENTRIES, maxSize: MAX_MEMORY_BYTES });
  const store = bentostore().useL1Layer(memory);
  const redis = redisUrl === undefined ? undefined : await openRedis(redisUrl, prefix, clock);
  if (redis) store.useL2Layer(redis.level).useBus(redis.bus);
  const bento = new BentoCache({
    default: 'app',
    prefix,
    timeout: SOFT_TIMEOUT_MS,
    graceBackoff: 0, // as of 1.6 it prolongs the grace each time a source fails, without an end
    ...(redis && { internalOperationWrapper: redis.wrap }),
    stores: { app: store },
  });
  bento.use(); // listens
  await redis?.ready();
  return { bento, close: async () => await redis?.close() };
}

async function openRedis(url: string, prefix: string, clock: Clock) {
  return (await import('../stores/redis-cache.ts')).openRedisCache({ url, prefix, clock });
}
