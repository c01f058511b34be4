/** The context of one request: what is cheap is there, the rest is made when it is first asked for. */
import type { Logger } from 'pino';
import type { Cache } from '../cache/cache.ts';
import { type Clock, type Deadline, deadlineAt } from '../clock.ts';
import type { Facilities } from '../facilities.ts';
import { type HeaderSource, requestIdOf } from '../http/request-id.ts';
import type { JsonObject } from '../json.ts';
import { HandlerMedia } from '../media/handler-media.ts';
import type { MediaFile } from '../media/scope.ts';
import type { Session } from '../sessions/session.ts';
import { openSession, type SessionKind } from '../sessions/session-kind.ts';
import type { LiveToken } from '../tokens/tokens.ts';
import type { Defer } from '../webhooks/jobs.ts';
import type { FallbackContext } from './context.ts';
import type { FlowAction, FlowRequest } from './protocol.ts';
import { type FlowReply, flowReply, SUCCESS } from './reply.ts';

export interface ContextInput {
  readonly flow: string;
  /** The Flow as this business uses it: see `scopeOf`. */
  readonly scope: string;
  readonly tenant: string | undefined;
  readonly request: FlowRequest;
  readonly facilities: Facilities;
  readonly sessionKind: SessionKind;
  /** Whose id the log lines carry. */
  readonly source: HeaderSource;
  /** Where `error` goes when there is no current screen. */
  readonly entryScreen: string | undefined;
  /** Monotonic ms. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newDefer: () => Defer;
  readonly failure?: 'late' | 'failed';
}

export class RequestContext implements FallbackContext {
  readonly flow: string;
  readonly action: FlowAction;
  readonly currentScreen: string | undefined;
  readonly data: JsonObject;
  readonly token: string | undefined;
  readonly version: string | undefined;
  readonly failure: 'late' | 'failed';
  /** Set by whoever verifies it: one that was minted here. */
  liveToken: LiveToken | undefined;
  readonly #input: ContextInput;
  // Made when first asked for: most handlers use neither, and each costs more than the rest of the context.
  #controller: AbortController | undefined;
  #log: Logger | undefined;
  #defer: Defer | undefined;
  #session: Session<JsonObject> | undefined;
  readonly #media: HandlerMedia;
  #abortReason: DOMException | undefined;

  constructor(input: ContextInput) {
    const { request } = input;
    this.#input = input;
    this.#media = new HandlerMedia(input.facilities, this);
    this.flow = input.flow;
    this.action = request.action as FlowAction; // the dispatcher lets no other through
    this.currentScreen = request.screen;
    this.data = request.data;
    this.token = request.token;
    this.version = request.version;
    this.failure = input.failure ?? 'failed';
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  get deadline(): Deadline {
    return deadlineAt(this.#input.deadlineMs, this.#input.clock);
  }

  get log(): Logger {
    const { flow, action, currentScreen: screen, requestId } = this;
    this.#log ??= this.#input.log.child({ flow, action, screen, requestId });
    return this.#log;
  }

  /** For the log. */
  get requestId(): string {
    return requestIdOf(this.#input.source);
  }

  get defer(): Defer {
    this.#defer ??= this.#input.newDefer();
    return this.#defer;
  }

  get user(): string | undefined {
    return this.liveToken?.user;
  }

  get tenant(): string | undefined {
    return this.#input.tenant;
  }

  /** Under what tokens, sessions and kept answers stand. */
  get scope(): string {
    return this.#input.scope;
  }

  get session(): Session<JsonObject> {
    const { sessionKind, facilities, scope } = this.#input;
    this.#session ??= openSession(sessionKind, { state: facilities.state, scope, token: this.token, request: this });
    return this.#session;
  }

  get cache(): Cache {
    return this.#input.facilities.cache;
  }

  media(field: string): MediaFile[] {
    return this.#media.open().picked(this.data[field]);
  }

  /** Lets go of the files that were downloaded, and gives no more. @returns undefined where there were none. */
  close(): PromiseLike<void> | undefined {
    return this.#media.close();
  }

  screen(name: string, data: object = {}): FlowReply {
    if (name === SUCCESS) throw new TypeError('SUCCESS is reserved: end the Flow with c.complete()');
    return flowReply({ kind: 'screen', screen: name, data });
  }

  error(message: string, data: object = {}): FlowReply {
    const screen = this.currentScreen ?? this.#input.entryScreen;
    if (screen === undefined) {
      throw new TypeError('c.error() has no screen to show: give app.flow the Flow JSON, or use c.screen() on INIT');
    }
    return flowReply({ kind: 'screen', screen, data, errorMessage: message });
  }

  complete(params: object = {}): FlowReply {
    return flowReply({ kind: 'complete', params });
  }

  expire(message: string): FlowReply {
    return flowReply({ kind: 'expire', message });
  }

  /** True once the deadline has passed or the client is gone: what begins now is nobody's answer. */
  get isOver(): boolean {
    const { clock, deadlineMs } = this.#input;
    return this.isClientGone || clock.nowMs() >= deadlineMs;
  }

  /** True once nobody waits for the answer: what fails then is nobody's failure. */
  get isClientGone(): boolean {
    return this.#abortReason?.name === 'AbortError';
  }

  /** Fires the signal, for whoever holds it now or asks later. */
  abort(reason: 'TimeoutError' | 'AbortError'): void {
    this.#abortReason = new DOMException(reason === 'TimeoutError' ? 'the deadline passed' : 'the client left', reason);
    this.#controller?.abort(this.#abortReason);
  }
}
