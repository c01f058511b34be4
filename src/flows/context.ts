/** What a handler is given: the decrypted request, its deadline, and the only ways to make an answer. */
import type { Logger } from 'pino';
import type { Cache } from '../cache/cache.ts';
import type { Deadline } from '../clock.ts';
import type { JsonObject } from '../json.ts';
import type { MediaFile } from '../media/scope.ts';
import type { Session } from '../sessions/session.ts';
import type { Defer } from '../webhooks/jobs.ts';
import type { AnyScreens, ScreenMap, ScreenValue } from './flow-json.ts';
import type { FlowAction } from './protocol.ts';
import type { FlowReply, SUCCESS } from './reply.ts';

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

/** Values a schema or a handler may put in `data`, for those who build it piece by piece. */
export type ScreenData = Record<string, ScreenValue>;
