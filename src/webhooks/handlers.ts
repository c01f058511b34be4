/** Collects the handlers of an app's events and jobs, and finds the one for an item. Runs none. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { callable, isStandardSchema } from '../checks.ts';
import { FlowgateError } from '../errors.ts';
import {
  type CompletableFlow,
  type CompletedScope,
  completedFlow,
  completedScope,
  toCompletion,
} from '../flows/completion.ts';
import { validateInput } from '../flows/input.ts';
import type { JsonObject } from '../json.ts';
import type { SessionKind } from '../sessions/session-kind.ts';
import { type Business, businessOf } from '../tenants/sender.ts';
import { withoutBusiness } from './business.ts';
import type { CompletedContext, EventContext } from './context.ts';
import { type EventPattern, type EventType, isEventPattern, matchesPattern } from './event-types.ts';
import type { EventOf, WebhookEvent } from './events.ts';
import type { ClaimedItem } from './inbox.ts';
import type { Job, JobHandler, JobOptions } from './jobs.ts';
import { type HandlerLimits, type LimitOptions, toLimits } from './limits.ts';
import { readEvent } from './read-event.ts';
import { withoutTraceparent } from './traceparent.ts';

export type EventHandler<P extends EventPattern> = (event: EventOf<P>, c: EventContext) => unknown;
/** Must not wait for anything: it decides whether the handler is the one for this event. */
export type EventFilter<P extends EventPattern> = (event: EventOf<P>) => boolean;

/** What one attempt needs to know of its handler. */
export interface BoundHandler {
  readonly limits: HandlerLimits;
  /** The message of an event, to reply to. */
  readonly event: WebhookEvent | undefined;
  /** In whose name it sends; undefined: the settings' own. */
  readonly business: Business | undefined;
  /** Of the Flow that the event completes, where it has a handler for that. */
  readonly completion?: BoundCompletion;
  run(c: CompletedContext): unknown;
}

export interface BoundCompletion extends CompletedScope {
  readonly sessionKind: SessionKind;
  readonly data: JsonObject;
}

interface EventEntry {
  readonly limits: HandlerLimits;
  readonly pattern: EventPattern;
  readonly filter: EventFilter<never> | undefined;
  readonly handler: EventHandler<never>;
}

interface JobEntry {
  readonly limits: HandlerLimits;
  readonly schema: StandardSchemaV1 | undefined;
  readonly handler: JobHandler<never>;
}

interface HandledFlow extends CompletableFlow {
  readonly isOfAnother: boolean;
}

const JOB_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export class Handlers {
  readonly #flows: ReadonlyMap<string, HandledFlow>;
  readonly #events: EventEntry[] = [];
  readonly #jobs = new Map<string, JobEntry>();

  constructor(flows: ReadonlyMap<string, HandledFlow>) {
    this.#flows = flows;
  }

  /** @throws TypeError for a name that no event has, or an option out of bounds. */
  on(pattern: string, ...rest: readonly unknown[]): void {
    if (!isEventPattern(pattern)) throw new TypeError(`there is no event ${pattern}: see "Events" in the README`);
    const [filter, handler, options] = typeof rest[1] === 'function' ? rest : [undefined, ...rest];
    if (filter !== undefined && typeof filter !== 'function') throw new TypeError('a filter must be a function');
    this.#events.push({
      pattern,
      filter: filter as EventEntry['filter'],
      handler: callable(handler) as EventEntry['handler'],
      limits: toLimits(options as LimitOptions | undefined),
    });
  }

  /** @throws TypeError for a name that is malformed or taken, or an option out of bounds. */
  job(name: string, options: JobOptions, handler: unknown): Job<never> {
    if (!JOB_NAME.test(name)) {
      throw new TypeError('a job name takes lower-case letters, digits, hyphens and underscores, up to 64');
    }
    if (this.#jobs.has(name)) throw new TypeError(`job ${name} was given twice`);
    const { schema, deadlineMs, ...retry } = options;
    if (schema !== undefined && !isStandardSchema(schema))
      throw new TypeError(`job ${name}: schema is no Standard Schema`);
    const limits = toLimits({ retry, ...(deadlineMs !== undefined && { deadlineMs }) });
    this.#jobs.set(name, { schema, handler: callable(handler) as JobHandler<never>, limits });
    return { name };
  }

  has(jobName: string): boolean {
    return this.#jobs.has(jobName);
  }

  /** @returns the handler for an item, or undefined when there is none. Throws what a filter throws. */
  find({ id, kind, type, payload }: ClaimedItem): BoundHandler | undefined {
    if (kind === 'job') return this.#forJob(type, withoutTraceparent(payload));
    const event = readEvent(id, type as EventType, payload);
    return this.#forCompletion(event) ?? this.#forEvent(event);
  }

  /** The Flow whose completion `event` is, if it is one. */
  flowOf(event: WebhookEvent): string | undefined {
    return this.#completedFlow(event)?.name;
  }

  #forJob(name: string, stored: JsonObject): BoundHandler | undefined {
    const job = this.#jobs.get(name);
    if (!job) return undefined;
    const { schema, handler, limits } = job;
    const { business, payload } = withoutBusiness(stored);
    const run = async (c: CompletedContext) => handler((await validated(schema, payload)) as never, c);
    return { limits, event: undefined, business, run };
  }

  #forCompletion(event: WebhookEvent): BoundHandler | undefined {
    const flow = this.#completedFlow(event);
    const step = flow?.completion;
    if (!step || event.type !== 'message.interactive.nfm_reply') return undefined;
    const { schema, handler, options } = step;
    const completed = toCompletion(event);
    const run = async (c: CompletedContext) => {
      return handler({ ...completed, data: await validated(schema, completed.data) } as never, c as never);
    };
    const completion = { ...completedScope(flow, event), sessionKind: flow.sessionKind, data: completed.data };
    return { limits: toLimits(options), event, business: ownerOf(event, flow), completion, run };
  }

  /** The first that was added, of those whose name and filter fit. */
  #forEvent(event: WebhookEvent): BoundHandler | undefined {
    const entry = this.#events.find(
      ({ pattern, filter }) => matchesPattern(pattern, event.type) && (!filter || filter(event as never)),
    );
    if (!entry) return undefined;
    const { handler, limits } = entry;
    return { limits, event, business: ownerOf(event), run: (c) => handler(event as never, c) };
  }

  #completedFlow(event: WebhookEvent): HandledFlow | undefined {
    return event.type === 'message.interactive.nfm_reply' ? completedFlow(this.#flows.values(), event) : undefined;
  }
}

/** @param flow the one whose completion it is. */
function ownerOf(event: WebhookEvent, flow?: HandledFlow): Business | undefined {
  return businessOf(event.tenant, flow, 'phoneNumberId' in event ? event.phoneNumberId : undefined);
}

async function validated(schema: StandardSchemaV1 | undefined, payload: JsonObject): Promise<unknown> {
  if (!schema) return payload;
  const input = await validateInput(schema, payload);
  if (input.ok) return input.value;
  const fields = Object.keys(input.fields).join(', ');
  throw new FlowgateError('INPUT_INVALID', `the payload does not fit the schema${fields && `: see ${fields}`}`);
}
