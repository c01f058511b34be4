/** One attempt's context: its time limit, and its ways to the stores and to the Graph API. */
import type { Logger } from 'pino';
import type { Cache } from '../cache/cache.ts';
import { type Clock, type Deadline, deadlineAt } from '../clock.ts';
import type { Facilities } from '../facilities.ts';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import { bounded, type GraphClient } from '../graph/client.ts';
import type { JsonObject } from '../json.ts';
import { graphMedia } from '../media/graph-media.ts';
import { HandlerMedia } from '../media/handler-media.ts';
import type { MediaFile } from '../media/scope.ts';
import type { Session } from '../sessions/session.ts';
import { openSession } from '../sessions/session-kind.ts';
import { type BusinessGraphDeps, businessGraph } from '../tenants/business-graph.ts';
import type { CompletedContext, Reply } from './context.ts';
import { type EffectDeps, Effects } from './effects.ts';
import type { BoundHandler } from './handlers.ts';
import type { ClaimedItem } from './inbox.ts';
import { createDefer, type Defer } from './jobs.ts';
import { isAnswerable, replyTo } from './reply.ts';

export interface AttemptContextDeps extends EffectDeps, BusinessGraphDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly facilities: Facilities;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly jobs: { has(name: string): boolean };
  /** Of the attempt, where it is traced: for the jobs that it defers. */
  readonly traceparent?: string | undefined;
}

/** What an attempt is at. */
export type Bound = Pick<BoundHandler, 'event' | 'business' | 'completion'>;

export class AttemptContext implements CompletedContext {
  readonly id: string;
  readonly attempt: number;
  readonly defer: Defer;
  readonly #item: ClaimedItem;
  readonly #bound: Bound;
  readonly #deps: AttemptContextDeps;
  readonly #deadlineMs: number;
  // Made when first asked for: most handlers use few of them.
  #controller: AbortController | undefined;
  #abortReason: DOMException | undefined;
  #log: Logger | undefined;
  #effects: Effects | undefined;
  readonly #media: HandlerMedia;

  /** @param deadlineMs monotonic. */
  constructor(item: ClaimedItem, bound: Bound, deadlineMs: number, deps: AttemptContextDeps) {
    this.id = item.id;
    this.attempt = item.attempt;
    const { business } = bound;
    this.defer = createDefer(deps.inbox, deps.jobs, item.id, { traceparent: deps.traceparent, business });
    this.#media = new HandlerMedia(deps.facilities, this);
    this.#item = item;
    this.#bound = bound;
    this.#deps = deps;
    this.#deadlineMs = deadlineMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  get log(): Logger {
    const { id, type, attempt } = this.#item;
    this.#log ??= this.#deps.log.child({ id, type, attempt });
    return this.#log;
  }

  get deadline(): Deadline {
    return deadlineAt(this.#deadlineMs, this.#deps.clock);
  }

  get graph(): GraphClient {
    return this.#graphAs();
  }

  get cache(): Cache {
    return this.#deps.facilities.cache;
  }

  get reply(): Reply {
    const { event } = this.#bound;
    if (!isAnswerable(event)) throw new TypeError('only a message has a sender to reply to');
    return replyTo(event, { ...this.#deps, graph: this.#graphAs(event.phoneNumberId) });
  }

  get session(): Session<JsonObject> {
    const { completion } = this.#bound;
    if (!completion) throw new TypeError('only a completed Flow has a session');
    const { scope, token, sessionKind } = completion;
    return openSession(sessionKind, { state: this.#deps.facilities.state, scope, token, request: this });
  }

  /** An arrow, as `defer` is: a handler may take them off its context. */
  readonly once = <T>(key: string, effect: () => T | Promise<T>): Promise<T> => {
    this.#effects ??= new Effects(this.id, this, this.#deps);
    return this.#effects.once(key, effect);
  };

  media(field?: string): MediaFile[] {
    const { event, completion } = this.#bound;
    if (!isAnswerable(event)) throw new TypeError('only a message comes with files');
    const scope = this.#media.open();
    const lookup = graphMedia(this.#graphAs(event.phoneNumberId));
    if (completion) return scope.received(field === undefined ? undefined : completion.data[field], lookup);
    if ('media' in event) return [scope.message(event.media, lookup)];
    return [];
  }

  /** @param phoneNumberId of the settings' own business: another's is that of its event, or its own. */
  #graphAs(phoneNumberId?: string): GraphClient {
    const { business } = this.#bound;
    const { graphFor } = this.#deps;
    return bounded(business ? businessGraph(business, this.#deps, this) : graphFor(phoneNumberId), this);
  }

  /** Lets go of the files that were downloaded. */
  async close(): Promise<void> {
    await this.#media.close();
  }

  abort(why: string): void {
    this.#abortReason = new DOMException(why, 'TimeoutError');
    this.#controller?.abort(this.#abortReason);
  }
}
