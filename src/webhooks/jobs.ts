/** Jobs: work that a handler leaves for later, kept in the inbox like an event and handled with the same promises. */
import { hash } from 'node:crypto';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonObject } from '../json.ts';
import type { Business } from '../tenants/sender.ts';
import { withBusiness } from './business.ts';
import type { JobContext } from './context.ts';
import type { Inbox } from './inbox.ts';
import type { RetryOptions } from './limits.ts';
import { withTraceparent } from './traceparent.ts';

/** What `app.job` returns: hand it to `c.defer` to have the payload checked by the compiler. */
export interface Job<Payload extends object = JsonObject> {
  readonly name: string;
  /** Never there: it carries the type. */
  readonly payload?: Payload;
}

export interface JobOptions<S extends StandardSchemaV1 = StandardSchemaV1> extends RetryOptions {
  /** For one attempt, 100 to 3,600,000. By default 30,000. */
  readonly deadlineMs?: number;
  /** Validates the payload before the handler sees it; a payload that does not fit is a dead letter at once. */
  readonly schema?: S;
}

export type JobHandler<Payload> = (payload: Payload, c: JobContext) => unknown;

export interface DeferOptions {
  /**
   * Two jobs of one name deferred under the same key are one job, for 8 days; those of two businesses are two. Without
   * it, a webhook handler's job is told apart by the event and its place among those the handler defers, so that a second
   * attempt does not defer it twice; a Flow handler's job is always a new one.
   */
  readonly key?: string;
  /** Not to be run sooner than this from now; at most 7 days. */
  readonly delayMs?: number;
}

export interface Defer {
  /**
   * Stores a job, durably, before it resolves. Rejects with `INBOX_UNAVAILABLE` or `INBOX_FULL`.
   * @returns the job's id.
   */
  <Payload extends object>(job: Job<Payload>, payload: NoInfer<Payload>, options?: DeferOptions): Promise<string>;
  (job: string, payload: object, options?: DeferOptions): Promise<string>;
}

/** What a job takes over from whoever defers it. */
export interface DeferredBy {
  /** Of the request or the attempt, where it is traced. */
  readonly traceparent?: string | undefined;
  /** Whose it is; undefined: the settings' own. */
  readonly business?: Business | undefined;
}

const MAX_DELAY_MS = 7 * 24 * 3_600_000;

/**
 * @param scope what the ids of unnamed jobs are made from: an event's id, or something that never comes again.
 * @param names the jobs there are; deferring another is a TypeError.
 */
export function createDefer(
  inbox: Inbox,
  names: { has(name: string): boolean },
  scope: string,
  { traceparent, business }: DeferredBy = {},
): Defer {
  let ordinal = 0;
  return async (job: Job<object> | string, payload: object, { key, delayMs = 0 }: DeferOptions = {}) => {
    const name = typeof job === 'string' ? job : job.name;
    if (!names.has(name)) throw new TypeError(`there is no job ${name}: add app.job('${name}', ...)`);
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) throw new TypeError(`delayMs must be from 0 to ${MAX_DELAY_MS}`);
    const owner = business ? [business.kind, business.name] : [];
    const identity = key === undefined ? ['', scope, name, ordinal++] : ['key', name, key, ...owner];
    const id = `job_${hash('sha256', JSON.stringify(identity), 'hex').slice(0, 32)}`;
    const owned = withBusiness(payload, business);
    const stored = (traceparent ? withTraceparent(owned, traceparent) : owned) as JsonObject;
    await inbox.append([{ id, kind: 'job', type: name, payload: stored, delayMs }]);
    return id;
  };
}
