/**
 * Tries a call again that certainly had no effect, for as long as its caller has patience.
 *
 * Never tried again: what may have had its effect all the same (`isUncertain`), what no time would mend, and quotas that
 * are counted by the hour, for Meta counts refused calls too. Those are for whoever tries with longer pauses: the inbox.
 * Source: Meta, "Pair rate limits" (pauses of 4^X seconds), "Rate limits" of the Graph API.
 */
import { wholeNumber } from '../checks.ts';
import { type Clock, type Deadline, pause } from '../clock.ts';
import { type Duration, toMs } from '../duration.ts';
import { againOf, PAIR_RATE_CODE } from './error-codes.ts';
import { GraphError } from './graph-error.ts';

export interface RetryOptions {
  /** In all, 1 to 10; 1 for no second one. */
  readonly tries?: number | undefined;
  /** For its turn and between tries, all in all: `'20s'` by default. A try that has begun is not cut short by it. */
  readonly maxWait?: Duration | undefined;
  /** Told of each failure that is to be tried again. */
  readonly onRetry?: ((failure: GraphError, pauseMs: number) => void) | undefined;
  /** From 0 to 1. */
  readonly random?: (() => number) | undefined;
}

export interface RetryPolicy {
  readonly tries: number;
  readonly maxWaitMs: number;
  readonly onRetry: (failure: GraphError, pauseMs: number) => void;
  readonly random: () => number;
}

/** What a caller may say about how long it can wait. */
export interface CallOptions {
  /**
   * Gives up. Under way, the call rejects with the signal's reason, and may or may not have had its effect; while it
   * waits, with the GraphError that tells what it waited for: then it had none.
   */
  readonly signal?: AbortSignal | undefined;
  /** No wait goes on to less than 2 s before it: a try that has no time may end as nobody knows how. */
  readonly deadline?: Deadline | undefined;
}

export const DEFAULT_TRIES = 3;
const DEFAULT_MAX_WAIT = '20s';
/** What a wait leaves of the deadline. */
export const ROOM_FOR_A_TRY_MS = 2_000;
const FIRST_PAUSE_MS = 1_000;

/** @throws TypeError naming the option that is out of bounds. */
export function toRetryPolicy(options: RetryOptions, defaultTries = DEFAULT_TRIES): RetryPolicy {
  const { tries = defaultTries, maxWait = DEFAULT_MAX_WAIT, onRetry = () => {}, random = Math.random } = options;
  wholeNumber('tries', tries, 1, 10);
  return { tries, maxWaitMs: toMs('maxWait', maxWait, '10m'), onRetry, random };
}

/** How long one call of a caller may still wait, for whatever. */
export class Patience {
  readonly signal: AbortSignal | undefined;
  /** Monotonic: what waits must have gone on by then. */
  readonly untilMs: number;
  readonly #clock: Clock;

  constructor({ signal, deadline }: CallOptions, maxWaitMs: number, clock: Clock) {
    const roomMs = deadline ? deadline.remainingMs() - ROOM_FOR_A_TRY_MS : Number.POSITIVE_INFINITY;
    this.signal = signal;
    this.untilMs = clock.nowMs() + Math.min(maxWaitMs, roomMs);
    this.#clock = clock;
  }

  allows(pauseMs: number): boolean {
    return this.#clock.nowMs() + pauseMs <= this.untilMs;
  }

  /** @returns false when the signal ended it. */
  async pause(pauseMs: number): Promise<boolean> {
    const { signal = new AbortController().signal } = this;
    await pause(this.#clock, pauseMs, signal);
    return !signal.aborted;
  }
}

/** Rejects with the failure of the last try. */
export async function persist<T>(
  attempt: () => Promise<T>,
  patience: Patience,
  { tries, random, onRetry }: RetryPolicy,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = failures < tries ? pauseAfter(error, failures, random()) : undefined;
      if (pauseMs === undefined || !patience.allows(pauseMs)) throw error;
      onRetry(error as GraphError, pauseMs);
      if (!(await patience.pause(pauseMs))) throw error;
    }
  }
}

/**
 * At least what Meta asks for, and up to half as long again: what failed together must not come back together.
 * @param failures so far, from 1. @param random from 0 to 1.
 * @returns undefined for what is not to be tried again here.
 */
export function pauseAfter(error: unknown, failures: number, random: number): number | undefined {
  if (!(error instanceof GraphError) || !error.isTransient || error.isUncertain || error.kind === 'unsent') return;
  const { graphCode, retryAfterMs } = error;
  if (againOf(graphCode) === 'later' && retryAfterMs === undefined) return;
  const growth = graphCode === PAIR_RATE_CODE ? 4 : 2;
  const leastMs = Math.max(FIRST_PAUSE_MS * growth ** (failures - 1), retryAfterMs ?? 0);
  return Math.round(leastMs * (1 + random / 2));
}
