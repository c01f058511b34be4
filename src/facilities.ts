/** What stands behind the session, cache, tokens and media of a handler's context: one of each for a host. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { createCache, type OpenCache } from './cache/cache.ts';
import type { Clock } from './clock.ts';
import { SubmitMemory } from './flows/submit-memory.ts';
import { Media, type MediaOptions } from './media/media.ts';
import type { AnswerMetrics } from './metrics/answer-metrics.ts';
import type { CacheMetrics } from './metrics/cache-metrics.ts';
import { meteredState } from './state/metered-state.ts';
import type { StateStore } from './state/state-store.ts';
import { Tokens } from './tokens/tokens.ts';

export interface Facilities {
  readonly state: StateStore;
  readonly tokens: Tokens;
  readonly submits: SubmitMemory;
  readonly cache: OpenCache;
  readonly media: Media;
  close(): Promise<void>;
}

export interface FacilityOptions {
  /** Closed with the rest. */
  readonly store: StateStore;
  /** Shares the cache with other processes. */
  readonly redisUrl: string | undefined;
  readonly mediaHosts: readonly string[] | undefined;
  readonly mediaMaxBytes: number;
  readonly mediaTimeoutMs: number;
  readonly flowDeadlineMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: AnswerMetrics & CacheMetrics;
}

/** Cache and media cost nothing until a handler asks for them. */
export function openFacilities(options: FacilityOptions): Facilities {
  const { store, redisUrl, flowDeadlineMs, clock, log, metrics } = options;
  const state = meteredState(store, { clock, metrics });
  const cache = createCache({ redisUrl, clock, log, metrics });
  const onDownload = (outcome: string, durationMs: number) => metrics.mediaDownload(outcome, durationMs);
  const submits = new SubmitMemory({ state, clock, flowDeadlineMs });
  return {
    state,
    tokens: new Tokens({ state, randomBytes }),
    submits,
    cache,
    media: new Media(mediaOptions(options), { clock, onDownload }),
    async close() {
      submits.close();
      await cache.close();
      await store.close();
    },
  };
}

function mediaOptions({ mediaHosts, mediaMaxBytes, mediaTimeoutMs }: FacilityOptions): MediaOptions {
  return { ...(mediaHosts && { hosts: mediaHosts }), maxBytes: mediaMaxBytes, timeout: `${mediaTimeoutMs}ms` };
}
