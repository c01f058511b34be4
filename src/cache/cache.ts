/**
 * What a handler looked up lately: `c.cache`, kept in memory, and in Redis as well where there is one.
 *
 * bentocache brings the two levels, the grace and the word to other servers that a key has changed. Kept around it here:
 * one load for all who miss a key together, even when it fails or finds nothing; a copy of its own for each of them; loads
 * that come to an end; and a `delete` that a load begun before it cannot undo.
 *
 * What is kept is JSON text, so the first caller sees what the next ones see: a Date is a string for all. Nothing is logged
 * but that a value was too large, and no metric names a key. A lifetime is counted by the wall clock: when that jumps,
 * values end early or late.
 */
import type { GetSetFactoryContext } from 'bentocache/types';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.ts';
import { type Duration, toMs } from '../duration.ts';
import type { CacheMetrics } from '../metrics/cache-metrics.ts';
import type { Found, Levels } from './levels.ts';
import { SourceRuns } from './source-runs.ts';

export interface CacheOptions {
  /** How long a value is given without asking its source, at most 30 days. */
  readonly ttl: Duration;
  /**
   * How long after that, at most 30 days, it is given still when its source fails, or takes longer than 250 ms; the source
   * then goes on, and what it finds is kept. None unless told.
   */
  readonly grace?: Duration;
}

export interface Cache {
  /**
   * The value of `key`, or what `load` finds: once for all who wait for it, on this server. Rejects with what `load` throws
   * when there is no value. `undefined` is not kept, and neither is what is larger than 1 MiB as JSON.
   *
   * @param key 1 to 500 characters, the same for every server: all of them, and all users, share what is kept.
   */
  getOrSet<T>(key: string, options: CacheOptions, load: () => T | Promise<T>): Promise<T>;
  /** Forgets it, on every server. While Redis is away on this one: the others go on until the end of its lifetime. */
  delete(key: string): Promise<void>;
}

export interface OpenCache extends Cache {
  close(): Promise<void>;
}

export interface OpenCacheOptions {
  /** Where other servers keep theirs; memory alone without. */
  readonly redisUrl?: string | undefined;
  /** Before every key in Redis: apps that share one need prefixes of their own. */
  readonly prefix?: string;
  readonly clock?: Clock;
  readonly log: Logger;
  readonly metrics?: CacheMetrics;
}

const MAX_CACHE_KEY_CHARS = 500;
const MAX_LIFETIME: Duration = '30d';
const MAX_VALUE_CHARS = 1024 * 1024;

/** Loads nothing and connects to nothing until it is first used. */
export function createCache(options: OpenCacheOptions): OpenCache {
  return new TwoLevelCache(options);
}

interface Lifetime {
  readonly ttlMs: number;
  readonly graceMs: number;
}

/** One run of a source. */
interface Load {
  text: string | undefined;
  failure: { readonly error: unknown } | undefined;
  /** The key was deleted meanwhile: what was found may be what was to be forgotten. */
  isOutdated: boolean;
}

class TwoLevelCache implements OpenCache {
  readonly #options: OpenCacheOptions;
  readonly #clock: Clock;
  #levels: Promise<Levels> | undefined;
  /** What is being asked for, here or at its source. */
  readonly #lookups = new Map<string, Promise<Found>>();
  /** Sources that run: longer than the lookup, when that was given a stale value. */
  readonly #loads = new Map<string, Load>();
  readonly #runs: SourceRuns;
  #hasToldOfSize = false;

  constructor(options: OpenCacheOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#runs = new SourceRuns({ clock: this.#clock, metrics: options.metrics });
  }

  async getOrSet<T>(key: string, { ttl, grace }: CacheOptions, load: () => T | Promise<T>): Promise<T> {
    checkKey(key);
    const ttlMs = toMs('ttl', ttl, MAX_LIFETIME);
    const graceMs = grace === undefined ? 0 : toMs('grace', grace, MAX_LIFETIME);
    const running = this.#lookups.get(key);
    const text = await this.#counted(running ?? this.#lookUpOnce(key, { ttlMs, graceMs }, load), running !== undefined);
    return text === undefined ? (undefined as T) : JSON.parse(text);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    const lookup = this.#lookups.get(key);
    this.#lookups.delete(key);
    const load = this.#loads.get(key);
    if (load) load.isOutdated = true;
    const levels = await this.#open();
    await levels.delete(key);
    // It may have read the second level before, and would write what it read to the first one.
    const again = () => void levels.delete(key).catch(() => {});
    lookup?.then(again, again);
  }

  async close(): Promise<void> {
    this.#runs.close();
    await (await this.#levels)?.close();
  }

  /** Who waits with others gets what they get, and has loaded nothing. */
  async #counted(lookup: Promise<Found>, isShared: boolean): Promise<string | undefined> {
    const { metrics } = this.#options;
    try {
      const { text, outcome } = await lookup;
      metrics?.cacheRequest(isShared && outcome === 'loaded' ? 'shared' : outcome);
      return text;
    } catch (error) {
      metrics?.cacheRequest('failed');
      throw error;
    }
  }

  #lookUpOnce(key: string, lifetime: Lifetime, load: () => unknown): Promise<Found> {
    const lookup = this.#lookUp(key, lifetime, load);
    this.#lookups.set(key, lookup);
    const end = () => {
      if (this.#lookups.get(key) === lookup) this.#lookups.delete(key);
    };
    lookup.then(end, end);
    return lookup;
  }

  async #lookUp(key: string, { ttlMs, graceMs }: Lifetime, source: () => unknown): Promise<Found> {
    const levels = await this.#open();
    const load: Load = { text: undefined, failure: undefined, isOutdated: false };
    // bentocache counts the grace from the write on.
    const grace = graceMs > 0 && ttlMs + graceMs;
    try {
      const factory = (context: GetSetFactoryContext) => this.#load(key, load, source, context);
      const found = await levels.getOrSet({ key, ttl: ttlMs, grace, factory });
      return { ...found, text: found.text ?? load.text };
    } catch (error) {
      throw load.failure ? load.failure.error : error;
    }
  }

  async #load(
    key: string,
    load: Load,
    source: () => unknown,
    context: GetSetFactoryContext,
  ): Promise<string | undefined> {
    this.#loads.set(key, load);
    try {
      load.text = JSON.stringify(await this.#runs.run(source));
    } catch (error) {
      load.failure = { error };
      throw new Error('the source failed'); // bentocache takes a thrown undefined for a value
    } finally {
      if (this.#loads.get(key) === load) this.#loads.delete(key);
    }
    const isKept = load.text !== undefined && this.#fits(load.text) && !load.isOutdated;
    return isKept ? load.text : context.skip();
  }

  #fits({ length }: string): boolean {
    if (length <= MAX_VALUE_CHARS) return true;
    if (!this.#hasToldOfSize) {
      this.#options.log.warn(
        { code: 'CACHE_VALUE_TOO_LARGE', chars: length },
        'a value over 1 MiB is not kept in c.cache',
      );
    }
    this.#hasToldOfSize = true;
    return false;
  }

  /** bentocache is loaded only by apps that use it. */
  #open(): Promise<Levels> {
    this.#levels ??= import('./levels.ts').then(({ openLevels }) => openLevels(this.#options, this.#clock));
    return this.#levels;
  }
}

function checkKey(key: string): void {
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_CACHE_KEY_CHARS) {
    throw new TypeError(`a cache key is a text of 1 to ${MAX_CACHE_KEY_CHARS} characters`);
  }
}
