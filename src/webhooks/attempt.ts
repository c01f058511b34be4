/**
 * One attempt at one item, from the claim to what the inbox is told of it.
 *
 * The attempt was counted when it was claimed. So an item that ends the process each time runs out of attempts like any
 * other, and is a dead letter instead of a crash loop.
 */
import { pause } from '../clock.ts';
import { type ErrorCode, FlowgateError, stackOf } from '../errors.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { AttemptOutcome } from '../metrics/webhook-metrics.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { AttemptContext, type AttemptContextDeps } from './attempt-context.ts';
import type { BoundHandler, Handlers } from './handlers.ts';
import { type Claim, type ClaimedItem, MAX_NOTE_CHARS } from './inbox.ts';
import { type HandlerLimits, nextTellAgainMs, retryDelayMs, TELL_AGAIN_MS, toLimits } from './limits.ts';
import { traceparentOf } from './traceparent.ts';

export interface AttemptDeps extends Omit<AttemptContextDeps, 'jobs' | 'traceparent'> {
  readonly handlers: Handlers;
  readonly metrics: Metrics;
  readonly leaseMs: number;
  readonly random: () => number;
  readonly logErrorMessages: boolean;
  readonly tracing?: Tracing | undefined;
}

/** For what has no handler to say otherwise: a job that another version of the app deferred. */
const DEFAULT_LIMITS = toLimits();
const STOPPING = 'the process had to end before the handler was done';

/** Never rejects. @param stopped aborts when the process will wait no longer. */
export async function runAttempt(item: ClaimedItem, stopped: AbortSignal, deps: AttemptDeps): Promise<void> {
  const startedMs = deps.clock.nowMs();
  const trace = deps.tracing?.attempt(labelOf(item), item.attempt, traceparentOf(item));
  const ending = await (trace
    ? trace.run(() => tryOnce(item, stopped, { ...deps, traceparent: trace.traceparent }))
    : tryOnce(item, stopped, deps));
  const outcome = await tell(item, ending, stopped, deps);
  deps.metrics.attempt(labelOf(item), outcome, deps.clock.nowMs() - startedMs);
  trace?.end(outcome, 'code' in ending ? ending.code : undefined);
}

/** How an attempt ended, before the inbox has heard of it. */
type Ending =
  | { readonly outcome: 'done' | 'unhandled'; readonly result?: string | undefined }
  | { readonly outcome: 'retry'; readonly delayMs: number; readonly code: ErrorCode; readonly error: string }
  | { readonly outcome: 'dead'; readonly code: ErrorCode; readonly error: string };

/** What one attempt is given: whatever it defers has its traceparent. */
type TryDeps = AttemptDeps & Pick<AttemptContextDeps, 'traceparent'>;

async function tryOnce(item: ClaimedItem, stopped: AbortSignal, deps: TryDeps): Promise<Ending> {
  let limits = DEFAULT_LIMITS;
  try {
    const handler = deps.handlers.find(item);
    if (!handler && item.kind === 'event') return { outcome: 'unhandled' };
    if (!handler) throw new FlowgateError('JOB_UNKNOWN', `this version of the app has no job ${item.type}`);
    limits = handler.limits;
    if (item.attempt > limits.retry.attempts) return exhausted(item, deps);
    if (stopped.aborted) throw new FlowgateError('PROCESS_STOPPING', STOPPING);
    const result = await run(item, handler, stopped, deps);
    return { outcome: 'done', result: toResult(result) };
  } catch (error) {
    logFailure(item, error, deps);
    const code = failureCode(error);
    const note = toNote(error);
    if (isFinal(error, item, limits)) return { outcome: 'dead', code, error: note };
    const delayMs = isStopping(error) ? 0 : retryDelayMs(limits, item.attempt, deps.random());
    return { outcome: 'retry', delayMs, code, error: note };
  }
}

/** Runs the handler under its deadline and keeps the lease. What it does after its deadline is nobody's any more. */
async function run(item: ClaimedItem, handler: BoundHandler, stopped: AbortSignal, deps: TryDeps): Promise<unknown> {
  const { clock } = deps;
  const { deadlineMs } = handler.limits;
  const context = new AttemptContext(item, handler, clock.nowMs() + deadlineMs, { ...deps, jobs: deps.handlers });
  const { promise: givenUp, reject } = withReject();
  const giveUp = (code: ErrorCode, why: string) => {
    reject(new FlowgateError(code, why));
    context.abort(why);
  };
  const stop = () => giveUp('PROCESS_STOPPING', STOPPING);
  const cancelDeadline = clock.after(deadlineMs, () => giveUp('HANDLER_LATE', 'the handler passed its deadline'));
  const cancelRenewal = keepLease(item, deps, () => context.abort('the lease was lost'));
  stopped.addEventListener('abort', stop, { once: true });
  try {
    const work = runAndClose(handler, context);
    return await Promise.race([work, givenUp]); // which also listens to what comes later, and drops it
  } finally {
    cancelDeadline();
    cancelRenewal();
    stopped.removeEventListener('abort', stop);
  }
}

/** What a handler downloaded goes with it, however late it ends. */
async function runAndClose(handler: BoundHandler, context: AttemptContext): Promise<unknown> {
  try {
    return await handler.run(context);
  } finally {
    await context.close();
  }
}

/** Renews in time for two renewals to fail. */
function keepLease(item: ClaimedItem, { inbox, clock, leaseMs }: AttemptDeps, onLost: () => void): () => void {
  let cancel = () => {};
  const renewLater = () => {
    cancel = clock.after(leaseMs / 3, async () => {
      renewLater();
      if (!(await inbox.renew(item).catch(() => true))) onLost();
    });
  };
  renewLater();
  return () => cancel();
}

/** @returns the outcome, or `lost` when it is not the inbox's any more. */
async function tell(
  item: ClaimedItem,
  ending: Ending,
  stopped: AbortSignal,
  deps: AttemptDeps,
): Promise<AttemptOutcome> {
  const { clock, leaseMs, log } = deps;
  const untilMs = clock.nowMs() + leaseMs;
  for (let waitMs = TELL_AGAIN_MS; clock.nowMs() < untilMs; waitMs = nextTellAgainMs(waitMs)) {
    try {
      if (await record(item, ending, deps)) return ending.outcome;
      break;
    } catch {
      if (stopped.aborted) break; // a process that ends waits for no store
      await pause(clock, waitMs, stopped);
    }
  }
  const { id, type, attempt } = item;
  log.warn(
    { code: 'LEASE_LOST', id, type, attempt },
    'the inbox did not take how an attempt ended: it may be made again',
  );
  return 'lost';
}

function record(claim: Claim, ending: Ending, { inbox }: AttemptDeps): Promise<boolean> {
  switch (ending.outcome) {
    case 'retry':
      return inbox.retryAt(claim, ending.delayMs, ending.error);
    case 'dead':
      return inbox.dead(claim, ending.error);
    default:
      return inbox.settle(claim, ending.result);
  }
}

/** The process ended during the last attempt, or that attempt's end was never recorded. */
function exhausted(item: ClaimedItem, { log }: AttemptDeps): Ending {
  log.error({ code: 'ATTEMPTS_EXHAUSTED', id: item.id, type: item.type }, 'every attempt at this item was cut off');
  const error = 'ATTEMPTS_EXHAUSTED: the process ended during the last attempt';
  return { outcome: 'dead', code: 'ATTEMPTS_EXHAUSTED', error };
}

/** The last attempt, or one that would fail the same way again; but not one that the end of the process cut off. */
function isFinal(error: unknown, { attempt }: ClaimedItem, { retry }: HandlerLimits): boolean {
  const code = error instanceof FlowgateError ? error.code : undefined;
  return code === 'INPUT_INVALID' || code === 'EFFECT_UNCERTAIN' || (attempt >= retry.attempts && !isStopping(error));
}

function isStopping(error: unknown): boolean {
  return error instanceof FlowgateError && error.code === 'PROCESS_STOPPING';
}

function failureCode(error: unknown): ErrorCode {
  return error instanceof FlowgateError ? error.code : 'HANDLER_FAILED';
}

/** The stack tells where; the message may quote the user's data, so the log leaves it out unless settings ask for it. */
function logFailure({ id, type, attempt }: ClaimedItem, error: unknown, { log, logErrorMessages }: AttemptDeps): void {
  const code = failureCode(error);
  const message = logErrorMessages && error instanceof Error ? { thrown: error.message } : {};
  log.warn({ code, id, type, attempt, stack: stackOf(error), ...message }, 'an attempt failed');
}

/** For the inbox, where the payload is as well: with the message. */
function toNote(error: unknown): string {
  return `${failureCode(error)}: ${textOf(error)}`.slice(0, MAX_NOTE_CHARS);
}

/** An app may throw anything, even what no text can be made of. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? (error.stack ?? error.message) : error);
  } catch {
    return typeof error;
  }
}

/** A handler that did its work has done it, whatever it returns. */
function toResult(result: unknown): string | undefined {
  try {
    return (JSON.stringify(result) as string | undefined)?.slice(0, MAX_NOTE_CHARS);
  } catch {
    return undefined;
  }
}

function labelOf({ kind, type }: ClaimedItem): string {
  return kind === 'job' ? `job.${type}` : type;
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject!: (error: Error) => void;
  const promise = new Promise<never>((_, rejectIt) => {
    reject = rejectIt;
  });
  promise.catch(() => {});
  return { promise, reject };
}
