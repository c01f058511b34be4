/** The cache of handlers, `c.cache`: what it spares its sources, and what they take. */
import { Counter, Histogram, type Registry } from 'prom-client';

/** From 250 ms on a stale value is given where there is one, and at 30 s a source has failed. */
const LOAD_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What one call got: a value kept in memory or in Redis; one that it loaded, or that somebody loaded just then, whom it
 * shared it with; one past its lifetime, since the source failed or was slow; or nothing.
 */
export type CacheOutcome = 'memory' | 'redis' | 'loaded' | 'shared' | 'stale' | 'failed';

export interface CacheMetrics {
  /** One call of `c.cache.getOrSet`. */
  cacheRequest(outcome: CacheOutcome): void;
  /** One run of a source. @param outcome `failed` when it threw, or did not end in time. */
  cacheLoad(outcome: 'ok' | 'failed', durationMs: number): void;
}

export function createCacheMetrics(registry: Registry): CacheMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'flowgate_cache_requests_total',
    help: 'Values that handlers asked the cache for, by how they came by them.',
    labelNames: ['outcome'],
    registers,
  });
  const loadSeconds = new Histogram({
    name: 'flowgate_cache_load_seconds',
    help: 'How long the sources of cached values took.',
    labelNames: ['outcome'],
    buckets: LOAD_SECONDS,
    registers,
  });
  return {
    cacheRequest: (outcome) => requests.inc({ outcome }),
    cacheLoad: (outcome, durationMs) => loadSeconds.observe({ outcome }, durationMs / 1000),
  };
}
