/** What a handler is given: the decrypted request, its deadline, and the only ways to make an answer. */
import type { Logger } from 'pino';
import type { Cache } from '../cache/cache.ts';
import { type Clock, type Deadline, deadlineAt } from '../clock.ts';
import type { Facilities } from '../facilities.ts';
import { type HeaderSource, requestIdOf } from '../http/request-id.ts';
import type { JsonObject } from '../json.ts';
import { unavailable } from '../media/media-error.ts';
import type { MediaFile, MediaScope } from '../media/scope.ts';
import { createSession, type Session } from '../sessions/session.ts';
import type { SessionKind } from '../sessions/session-kind.ts';
import type { Defer } from '../webhooks/jobs.ts';
import type { AnyScreens, ScreenMap, ScreenValue } from './flow-json.ts';
import type { FlowAction, FlowRequest } from './protocol.ts';
import { type FlowReply, flowReply, SUCCESS } from './reply.ts';

export interface FlowContext<Screens extends ScreenMap = AnyScreens, SessionData = JsonObject> {
  /** The name given to `app.flow`. */
  readonly flow: string;
  readonly action: FlowAction;
  /** The screen the user is on; on BACK, the one being left. Absent on INIT. */
  readonly currentScreen: string | undefined;
  /** The payload as sent, not validated: a schema's output comes as the handler's second argument. */
  readonly data: JsonObject;
  /** The flow token; `"unused"` when the sender set none, absent on some devices. Not a proof of identity. */
  readonly token: string | undefined;
  /** Whom a token was minted for, once it was verified: undefined for every other token. */
  readonly user: string | undefined;
  /** The business whose request this is, where several share the server; undefined for that of the settings. */
  readonly tenant: string | undefined;
  /** The data API version the client speaks, `"3.0"` or `"4.0"`. */
  readonly version: string | undefined;
  /** Aborts at the deadline, or when the client is gone. Pass it to whatever the handler waits for. */
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** Carries flow, action, screen and the request's id. What you log is yours: keep tokens and answers out. */
  readonly log: Logger;

  /** Leaves work for later: durable when it resolves, and done off the request path. */
  readonly defer: Defer;
  /** What was kept for this flow token; `.session(schema)` of the Flow tells what it holds. */
  readonly session: Session<SessionData>;
  /** What is slow to fetch and the same for many users. */
  readonly cache: Cache;
  /**
   * The files that were picked in the field of a PhotoPicker or DocumentPicker: none where it was left alone. They live
   * as long as the handler. @throws FlowgateError `MEDIA_INVALID` for a field that is no picker's.
   */
  media(field: string): MediaFile[];

  /** Shows a screen. Its data is checked against what the screen declares, where that is known to the compiler. */
  screen<N extends ScreenName<Screens>, D extends object>(name: N, ...data: DataArgument<Screens, N, D>): FlowReply;
  /**
   * Shows the current screen again (on INIT: the entry screen) with a message.
   * The screen's other data must come along: in `data`, or from the flow's `.data(screen, ...)`.
   */
  error<D extends object>(message: string, data?: D & Sendable<D>): FlowReply;
  /** Ends the Flow; `params` arrive in the `nfm_reply` webhook. The flow token is added. */
  complete<P extends object>(params?: P & Sendable<P> & { flow_token?: never }): FlowReply;
  /** Answers 427: the flow token is dead, its message's button is disabled, the user reads `message`. */
  expire(message: string): FlowReply;
}

/** A fallback also learns why it was called. It has half a second. */
export interface FallbackContext<Screens extends ScreenMap = AnyScreens, SessionData = JsonObject>
  extends FlowContext<Screens, SessionData> {
  readonly failure: 'late' | 'failed';
}

export type ScreenName<Screens extends ScreenMap> = Exclude<keyof Screens & string, typeof SUCCESS>;

type DataArgument<Screens extends ScreenMap, N extends keyof Screens, D> = string extends keyof Screens
  ? [data?: D & Sendable<D>]
  : Record<never, never> extends Screens[N]
    ? [data?: Screens[N]]
    : [data: Screens[N]];

/** `T` where it survives the way to a screen, `never` where it does not: null, undefined, Date, function, class with toJSON. */
export type Sendable<T> = T extends string | number | boolean
  ? T
  : T extends ((...args: never[]) => unknown) | { toJSON(...args: never[]): unknown }
    ? never
    : T extends object
      ? { [K in keyof T]: Sendable<T[K]> }
      : never;

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
  /** Set by whoever verifies the token. */
  user: string | undefined;
  readonly #input: ContextInput;
  // Made when first asked for: most handlers use neither, and each costs more than the rest of the context.
  #controller: AbortController | undefined;
  #log: Logger | undefined;
  #defer: Defer | undefined;
  #session: Session<JsonObject> | undefined;
  #media: MediaScope | undefined;
  #isClosed = false;
  #abortReason: DOMException | undefined;

  constructor(input: ContextInput) {
    const { request } = input;
    this.#input = input;
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

  get tenant(): string | undefined {
    return this.#input.tenant;
  }

  /** Under what tokens, sessions and kept answers stand. */
  get scope(): string {
    return this.#input.scope;
  }

  get session(): Session<JsonObject> {
    this.#session ??= this.#openSession();
    return this.#session;
  }

  get cache(): Cache {
    return this.#input.facilities.cache;
  }

  media(field: string): MediaFile[] {
    if (this.#isClosed) throw unavailable('the handler of the file has ended');
    this.#media ??= this.#input.facilities.media.scope(this.signal);
    return this.#media.picked(this.data[field]);
  }

  /** Lets go of the files that were downloaded, and gives no more. @returns undefined where there were none. */
  close(): PromiseLike<void> | undefined {
    this.#isClosed = true;
    return this.#media?.[Symbol.asyncDispose]();
  }

  #openSession(): Session<JsonObject> {
    const { facilities, scope: flow, sessionKind } = this.#input;
    const { schema, ttlMs } = sessionKind as SessionKind<JsonObject>;
    return createSession({ state: facilities.state, flow, token: this.token, schema, ttlMs, request: this });
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

/** Values a schema or a handler may put in `data`, for those who build it piece by piece. */
export type ScreenData = Record<string, ScreenValue>;
