/** What bounds the handling of one item: how often, how soon again, and how long one attempt may take. */
import { wholeNumber } from '../checks.ts';

export interface RetryOptions {
  /** Attempts in all, 1 to 100; then the item is a dead letter. By default 12: over about half an hour. */
  readonly attempts?: number;
  /** After the first failure; doubled after each further one. By default 1,000. */
  readonly minDelayMs?: number;
  /** By default an hour. */
  readonly maxDelayMs?: number;
}

export interface LimitOptions {
  readonly retry?: RetryOptions;
  /** For one attempt, 100 to 3,600,000. By default 30,000. */
  readonly deadlineMs?: number;
}

export interface HandlerLimits {
  readonly retry: Required<RetryOptions>;
  readonly deadlineMs: number;
}

const LONGEST_DELAY_MS = 7 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** @throws TypeError naming the option that is out of bounds. */
export function toLimits({ retry = {}, deadlineMs = 30_000 }: LimitOptions = {}): HandlerLimits {
  const { attempts = 12, minDelayMs = 1_000, maxDelayMs = Math.max(minDelayMs, HOUR_MS) } = retry;
  wholeNumber('attempts', attempts, 1, 100);
  wholeNumber('minDelayMs', minDelayMs, 0, LONGEST_DELAY_MS);
  wholeNumber('maxDelayMs', maxDelayMs, minDelayMs, LONGEST_DELAY_MS);
  wholeNumber('deadlineMs', deadlineMs, 100, HOUR_MS);
  return { retry: { attempts, minDelayMs, maxDelayMs }, deadlineMs };
}

/**
 * Doubles with each attempt, and takes a random half of that away: what failed together must not come back together.
 * @param attempt the one that failed, from 1. @param random from 0 to 1.
 */
export function retryDelayMs(
  { retry: { minDelayMs, maxDelayMs } }: HandlerLimits,
  attempt: number,
  random: number,
): number {
  return Math.round(Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1)) * (1 - random / 2));
}

/** Between tries to tell the inbox something that only this process knows, while it does not answer: first this. */
export const TELL_AGAIN_MS = 100;

/** Then twice as long each time, up to 3 s. */
export function nextTellAgainMs(waitMs: number): number {
  return Math.min(waitMs * 2, 3_000);
}
