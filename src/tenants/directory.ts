/**
 * The tenants that are served, by the names in their paths: asked for when a request comes, then kept.
 *
 * A request for a tenant that is held waits for nobody: after some minutes it is asked for again in the background, and
 * if that fails, what is held goes on serving. Anybody can make up names, so what they cost has bounds: how many are
 * looked up at a time, how many come to nothing in a second, how many are remembered not to exist.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import { setLast } from '../last-used.ts';
import { type Found, TenantLookup, type TenantProvider } from './lookup.ts';
import { MissingTenants } from './missing.ts';
import { ProblemLog } from './problem-log.ts';
import type { Tenant } from './tenant.ts';
import { TokenBucket } from './token-bucket.ts';

/** The least recently used goes first. One holds its keys and secrets, some kilobytes. */
export const MAX_TENANTS = 1_000;
/** Credentials older than this are asked for again, at the next request. */
export const REFRESH_MS = 5 * 60_000;
/** Older ones do not serve while they are asked for: a tenant nobody asked for in so long may have been revoked. */
export const MAX_STALE_MS = 60 * 60_000;
/** After a refresh that failed. */
export const REFRESH_RETRY_MS = 30_000;
/** So long a name that does not exist is not asked for again... */
export const UNKNOWN_MS = 30_000;
/** ...nor one whose credentials could not be had. */
export const UNAVAILABLE_MS = 5_000;
/** At a time, for tenants that are not held. */
export const MAX_LOOKUPS = 100;
/** At a time, beside the lookups: names made up by strangers must not keep known tenants from theirs. */
export const MAX_REFRESHES = 16;
/** Requests that wait for lookups, all together: each may hold a body. */
export const MAX_WAITING = 1_000;
/** Lookups that come to nothing. */
export const FRUITLESS = { capacity: 200, perSecond: 10 };

export interface TenantDirectoryOptions {
  readonly provider: TenantProvider;
  readonly clock: Clock;
  readonly log: Logger;
}

export class TenantDirectory {
  readonly #clock: Clock;
  readonly #problems: ProblemLog;
  readonly #lookup: TenantLookup;
  /** Least recently used first. */
  readonly #held = new Map<string, Held>();
  readonly #missing: MissingTenants;
  readonly #lookups = new Map<string, Promise<Tenant>>();
  readonly #refreshes = new Map<string, Promise<Tenant>>();
  readonly #fruitless: TokenBucket;
  #waiting = 0;

  constructor({ provider, clock, log }: TenantDirectoryOptions) {
    this.#clock = clock;
    this.#problems = new ProblemLog(log, clock);
    this.#lookup = new TenantLookup(provider, clock);
    this.#missing = new MissingTenants(clock);
    this.#fruitless = new TokenBucket(FRUITLESS, clock);
  }

  /** Tenants held. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * @returns the tenant itself where it is held.
   * Throws or rejects with `TENANT_UNKNOWN`, or with `TENANT_UNAVAILABLE`: nothing is held, and nothing can be had.
   */
  find(name: string): Tenant | Promise<Tenant> {
    const held = this.#held.get(name);
    if (held) return this.#use(name, held);
    const missing = this.#missing.errorOf(name);
    if (missing) throw missing;
    if (this.#isCrowded) throw unavailable('too many requests wait for their tenants');
    return this.#wait(this.#lookups.get(name) ?? this.#lookUp(name));
  }

  /** What is held by now: asks nobody, and counts as no use. */
  held(name: string): Tenant | undefined {
    return this.#held.get(name)?.tenant;
  }

  /** Ends the lookups that run. */
  close(): void {
    this.#problems.close();
    this.#lookup.close();
  }

  #use(name: string, held: Held): Tenant | Promise<Tenant> {
    setLast(this.#held, name, held, MAX_TENANTS);
    const nowMs = this.#clock.nowMs();
    if (nowMs < held.refreshAtMs) return held.tenant;
    const refreshing = this.#refreshes.get(name) ?? this.#refresh(name, held);
    const isStale = nowMs - held.confirmedAtMs >= MAX_STALE_MS;
    return isStale && refreshing && !this.#isCrowded ? this.#wait(refreshing) : held.tenant;
  }

  get #isCrowded(): boolean {
    return this.#waiting >= MAX_WAITING;
  }

  async #wait(pending: Promise<Tenant>): Promise<Tenant> {
    this.#waiting += 1;
    try {
      return await pending;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** @throws FlowgateError `TENANT_UNAVAILABLE` beyond the bounds. */
  #lookUp(name: string): Promise<Tenant> {
    if (this.#lookups.size >= MAX_LOOKUPS) throw unavailable('too many tenants are looked up at a time');
    if (!this.#fruitless.take()) throw unavailable('too many lookups of tenants came to nothing');
    return track(this.#lookups, name, this.#load(name));
  }

  async #load(name: string): Promise<Tenant> {
    try {
      const found = await this.#lookup.find(name, undefined);
      if (!found) throw unknownTenant();
      this.#fruitless.giveBack();
      this.#missing.delete(name);
      return this.#hold(name, found);
    } catch (error) {
      throw this.#miss(name, error);
    }
  }

  /** @returns undefined when too many are under way: the next request tries again. */
  #refresh(name: string, held: Held): Promise<Tenant> | undefined {
    if (this.#refreshes.size >= MAX_REFRESHES) return undefined;
    return track(this.#refreshes, name, this.#reload(name, held));
  }

  /** Rejects with `TENANT_UNKNOWN` alone. */
  async #reload(name: string, held: Held): Promise<Tenant> {
    let found: Found;
    try {
      found = await this.#lookup.find(name, held);
    } catch (error) {
      held.refreshAtMs = this.#clock.nowMs() + REFRESH_RETRY_MS;
      held.told = this.#problems.tell(name, error, held.told, 'the credentials of a tenant stay as they are');
      return held.tenant;
    }
    if (!found) {
      this.#held.delete(name);
      throw this.#miss(name, unknownTenant());
    }
    if (held.told !== undefined) this.#problems.recovered(name);
    return this.#hold(name, found);
  }

  #hold(name: string, found: NonNullable<Found>): Tenant {
    const nowMs = this.#clock.nowMs();
    const held = { ...found, confirmedAtMs: nowMs, refreshAtMs: nowMs + REFRESH_MS, told: undefined };
    setLast(this.#held, name, held, MAX_TENANTS);
    return found.tenant;
  }

  /** Remembers for a while that there is nothing. @returns what the requests are told. */
  #miss(name: string, thrown: unknown): FlowgateError {
    if (thrown instanceof FlowgateError) {
      this.#missing.add(name, thrown, UNKNOWN_MS, undefined);
      return thrown;
    }
    const toldBefore = this.#missing.toldOf(name);
    const told = this.#problems.tell(name, thrown, toldBefore, 'the credentials of a tenant cannot be had');
    const error = unavailable('the credentials of the tenant cannot be had: see the log');
    this.#missing.add(name, error, UNAVAILABLE_MS, told);
    return error;
  }
}

interface Held extends NonNullable<Found> {
  /** When the provider last said so. Monotonic ms, as all times here. */
  readonly confirmedAtMs: number;
  refreshAtMs: number;
  /** What the log told of the refresh that failed, if it did. */
  told: string | undefined;
}

function track<T>(running: Map<string, Promise<T>>, name: string, work: Promise<T>): Promise<T> {
  const tracked = work.finally(() => running.delete(name));
  tracked.catch(() => {}); // nobody may be waiting: whoever asks next is told
  running.set(name, tracked);
  return tracked;
}

export function unknownTenant(): FlowgateError {
  return new FlowgateError('TENANT_UNKNOWN', 'no tenant of this name');
}

function unavailable(why: string): FlowgateError {
  return new FlowgateError('TENANT_UNAVAILABLE', why);
}
