/** bentocache as `c.cache` uses it: how much it keeps, how long it waits, and what it may not do. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BentoCache, bentostore, type CacheOperationMessage } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import type { GetSetFactory } from 'bentocache/types';
import type { Clock } from '../clock.ts';
import type { CacheOutcome } from '../metrics/cache-metrics.ts';

const PREFIX = 'flowgate:cache';
/** Whichever is reached first. */
const MAX_MEMORY_ENTRIES = 5_000;
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;
/** How long a source is waited for by somebody who can be given a stale value. */
const SOFT_TIMEOUT_MS = 250;
/** An experiment as of 1.6, so not imported: without it the cache goes on, and its metrics are wrong. */
const OPERATIONS = 'tracing:bentocache.cache.operation:start';

export interface LevelsOptions {
  readonly redisUrl?: string | undefined;
  readonly prefix?: string;
}

export interface LookUp {
  readonly key: string;
  readonly ttl: number;
  /** Counted from the write on; false for none. */
  readonly grace: number | false;
  readonly factory: GetSetFactory;
}

export interface Found {
  /** Undefined when the factory skipped it. */
  readonly text: string | undefined;
  readonly outcome: Exclude<CacheOutcome, 'shared' | 'failed'>;
}

export interface Levels {
  getOrSet(lookUp: LookUp): Promise<Found>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

/** Resolves when they can be used: without Redis at once, and with one that is away after 250 ms. */
export async function openLevels({ redisUrl, prefix = PREFIX }: LevelsOptions, clock: Clock): Promise<Levels> {
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
  const operations = listenToOperations();
  return {
    async getOrSet(lookUp) {
      const found = bento.getOrSet<string | undefined>(lookUp);
      const operation = operations.latest();
      return { text: await found, outcome: outcomeOf(operation) };
    },
    delete: async (key) => void (await bento.delete({ key })),
    async close() {
      operations.close();
      await redis?.close();
    },
  };
}

/**
 * What bentocache tells of its calls. Each is told of on a channel before it returns, in an object that says in the end
 * where the value was: so, unlike an event, it belongs to one call, whatever else goes on with its key.
 */
function listenToOperations() {
  let latest: unknown;
  const note = (operation: unknown) => {
    latest = operation;
  };
  subscribe(OPERATIONS, note);
  return { latest: () => latest as CacheOperationMessage | undefined, close: () => void unsubscribe(OPERATIONS, note) };
}

/** @param operation that has ended. */
function outcomeOf(operation: CacheOperationMessage | undefined): Found['outcome'] {
  if (!operation?.hit) return 'loaded';
  if (operation.graced) return 'stale';
  return operation.tier === 'l2' ? 'redis' : 'memory';
}

async function openRedis(url: string, prefix: string, clock: Clock) {
  return (await import('../stores/redis-cache.ts')).openRedisCache({ url, prefix, clock });
}
