/**
 * The right to run the handler of a submit: a lease in the store, which the process renews while its handler runs.
 *
 * A claim whose process died runs out, and the next that asks takes it. One whose process lives holds for as long as
 * its handler runs, up to `MAX_RUN_MS`.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { StateStore } from '../state/state-store.ts';

/** A handler that has not ended by then is given up, and the next submit runs it again. */
export const MAX_RUN_MS = 60_000;
/** The lease outlives the deadline of a Flow by this much; most claims are never renewed. */
const LEASE_BEYOND_DEADLINE_MS = 3_000;
/** Enough for a store that does not answer at first. */
const RENEW_BEFORE_END_MS = 2_000;
const RENEW_AGAIN_MS = 500;

export interface ClaimDeps {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly flowDeadlineMs: number;
}

/** True of a record that is a claim, and no answer yet. */
export function isClaim(value: string): boolean {
  return value.startsWith(CLAIM);
}

const CLAIM = 'claim:';

export class SubmitClaim {
  readonly #deps: ClaimDeps;
  readonly #key: string;
  readonly #value = CLAIM + randomUUID();
  readonly #leaseMs: number;
  readonly #startedMs: number;
  /** As last written; undefined while it is not known whether anything was. */
  #version: number | undefined;
  #isOver = false;
  #cancelRenewal = () => {};

  private constructor(key: string, deps: ClaimDeps) {
    this.#key = key;
    this.#deps = deps;
    this.#leaseMs = deps.flowDeadlineMs + LEASE_BEYOND_DEADLINE_MS;
    this.#startedMs = deps.clock.nowMs();
  }

  /** @returns undefined where there is a record already: another's claim, or an answer. */
  static async take(key: string, deps: ClaimDeps): Promise<SubmitClaim | undefined> {
    const claim = new SubmitClaim(key, deps);
    try {
      return (await claim.#lease(0)) === undefined ? undefined : claim;
    } catch (error) {
      claim.release().catch(() => {}); // it may have been written all the same, and would keep the user's retry waiting
      throw error;
    }
  }

  /** Puts the answer in the place of the claim, unless another took it over: then that one's answer counts. */
  async keep(answer: string, ttlMs: number): Promise<void> {
    const { state } = this.#deps;
    await this.#end((ifVersion) => state.put(this.#key, { value: answer, ttlMs, ifVersion }));
  }

  /** Lets the next submit run the handler. */
  async release(): Promise<void> {
    const { state } = this.#deps;
    await this.#end(async (ifVersion) => ifVersion === 0 || (await state.delete(this.#key, ifVersion)) || undefined);
  }

  /** Renews it no more: it runs out by itself. */
  abandon(): void {
    this.#isOver = true;
    this.#cancelRenewal();
  }

  async #end(write: VersionedWrite): Promise<void> {
    this.abandon();
    const ifVersion = await this.#find(write);
    if (ifVersion !== undefined) await write(ifVersion);
  }

  async #renew(): Promise<void> {
    const lease: VersionedWrite = (ifVersion) => this.#lease(ifVersion);
    const ifVersion = await this.#find(lease);
    if (ifVersion !== undefined && !this.#isOver) await lease(ifVersion);
  }

  /**
   * Tries `write` where the claim was last seen.
   * @returns where it stands instead, when it has run out or was written in a call whose end nobody heard; undefined when
   *   `write` was done, or is not to be: another has the claim.
   */
  async #find(write: VersionedWrite): Promise<number | undefined> {
    if (this.#version !== undefined && (await write(this.#version)) !== undefined) return undefined;
    const record = await this.#deps.state.get(this.#key);
    return record && record.value !== this.#value ? undefined : (record?.version ?? 0);
  }

  async #lease(ifVersion: number): Promise<number | undefined> {
    const { state } = this.#deps;
    const version = await state.put(this.#key, { value: this.#value, ttlMs: this.#leaseMs, ifVersion });
    if (version === undefined) return undefined;
    this.#version = version;
    this.#renewIn(this.#leaseMs - RENEW_BEFORE_END_MS);
    return version;
  }

  #renewIn(delayMs: number): void {
    const { clock } = this.#deps;
    const endsMs = clock.nowMs() + delayMs + this.#leaseMs;
    if (this.#isOver || endsMs > this.#startedMs + MAX_RUN_MS) return;
    this.#cancelRenewal = clock.after(delayMs, () => {
      this.#renew().catch(() => this.#renewIn(RENEW_AGAIN_MS));
    });
  }
}

/** @returns undefined: another version stands there, and nothing was written. */
type VersionedWrite = (ifVersion: number) => Promise<unknown>;
