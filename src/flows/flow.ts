/** A Flow as its author writes it: options, and handlers by action and screen. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../duration.ts';
import type { JsonObject } from '../json.ts';
import type { FlowCredentials } from '../tenants/credentials.ts';
import type { SignatureMode } from '../tokens/token-signature.ts';
import type { TokenMode } from '../tokens/tokens.ts';
import type { CompletedHandler, CompletedOptions } from './completion.ts';
import type { FallbackContext, FlowContext, ScreenName } from './context.ts';
import type { AnyMoves, AnyScreens, FlowJson, MoveMap, ScreenMap, ScreensFrom } from './flow-json.ts';
import type { FlowReply } from './reply.ts';

type Awaitable<T> = T | Promise<T>;

export type FlowHandler<Screens extends ScreenMap = AnyScreens, SessionData = JsonObject> = (
  c: FlowContext<Screens, SessionData>,
) => Awaitable<FlowReply>;

export type FlowInputHandler<Screens extends ScreenMap, Input, SessionData = JsonObject> = (
  c: FlowContext<Screens, SessionData>,
  input: Input,
) => Awaitable<FlowReply>;

export type FallbackHandler<Screens extends ScreenMap = AnyScreens, SessionData = JsonObject> = (
  c: FallbackContext<Screens, SessionData>,
) => Awaitable<FlowReply>;

/** @returns true for a living token; false, or the sentence the user reads, for a dead one. */
export type TokenCheck = (
  token: string | undefined,
  c: { readonly signal: AbortSignal },
) => Awaitable<boolean | string>;

export interface FlowOptions extends FlowCredentials {
  /** The published Flow JSON: tells the entry screen and what each screen declares, and every answer is checked by it. */
  readonly json?: FlowJson;
  /**
   * What becomes of an answer that does not fit `json`: `report` sends it all the same, with a log line and a metric;
   * `strict` lets the fallback answer; `off` does not look. By default `REPLY_GUARD` says.
   */
  readonly guard?: 'report' | 'strict' | 'off';
  /**
   * Tokens that `app.tokens.mint` made for this Flow are always verified. `required`: every other token is dead as well;
   * `optional`, the default: others are the app's own affair, and come without a `c.user`.
   */
  readonly tokens?: TokenMode;
  /**
   * Meta's signature over the flow token (data API 4.0) is verified where there is one; `required`: there must be one;
   * `off`: it is not looked at. Meta does not say how its claims are called: a token counts as signed when one of them is it.
   */
  readonly tokenSignature?: SignatureMode;
  /** The Flow at Meta, for `c.reply.flow`: by its id, or by its name, which by default is the name here. */
  readonly metaFlow?: { readonly flowId: string } | { readonly flowName: string };
  /** Asked before every handler, within the deadline; a dead token answers 427 and disables the message's button. */
  readonly checkToken?: TokenCheck;
}

export interface SubmitOptions {
  /**
   * The same token, screen and payload within this time, up to `'1h'`, runs the handler once and gets its answer again:
   * a user's Retry, or a client's after a 421. Not for answers by `c.error`, and not for requests without a token of
   * their own.
   */
  readonly once?: Duration;
}

/** `Screens` after `.data(N, ...)` gave the keys of `D`: they may be left out from there on. */
export type WithBaseData<Screens extends ScreenMap, N extends keyof Screens, D> = {
  [K in keyof Screens]: K extends N
    ? Omit<Screens[K], keyof D> & Partial<Pick<Screens[K], keyof D & keyof Screens[K]>>
    : Screens[K];
};

/**
 * Screens, actions and handlers of one Flow; each pair of action and screen may be given once.
 * `Moves` says which screens the answer of a handler may show, `SessionData` what its session holds.
 */
export interface Flow<
  Screens extends ScreenMap = AnyScreens,
  Moves extends MoveMap = AnyMoves,
  SessionData = JsonObject,
> {
  readonly name: string;
  /** What `c.session` holds, validated on the way in and out. @param options.ttl how long after its last write. */
  session<S extends StandardSchemaV1>(
    schema: S,
    options?: { readonly ttl?: Duration },
  ): Flow<Screens, Moves, StandardSchemaV1.InferOutput<S>>;
  /** The user opened the Flow. */
  init(handler: FlowHandler<ScreensFrom<Screens, Moves, 'INIT'>, SessionData>): this;
  /** The user submitted `screen`, or picked something on it that asks the endpoint. */
  on<N extends ScreenName<Screens>>(
    screen: N,
    handler: FlowHandler<ScreensFrom<Screens, Moves, N>, SessionData>,
    options?: SubmitOptions,
  ): this;
  /**
   * The same with the payload validated, by any Standard Schema library (zod, valibot, arktype).
   * What does not fit is answered with the same screen and a message for each field.
   */
  on<N extends ScreenName<Screens>, S extends StandardSchemaV1>(
    screen: N,
    schema: S,
    handler: FlowInputHandler<ScreensFrom<Screens, Moves, N>, StandardSchemaV1.InferOutput<S>, SessionData>,
    options?: SubmitOptions,
  ): this;
  /** The user went back from `screen`, which has `refresh_on_back`. There is no payload. */
  back<N extends ScreenName<Screens>>(
    screen: N,
    handler: FlowHandler<ScreensFrom<Screens, Moves, N>, SessionData>,
  ): this;
  /**
   * Data that `screen` always needs: put under every answer that shows it, validation failures included.
   * A client that gets a screen without the data its components bind to shows an error.
   */
  data<N extends ScreenName<Screens>, D extends Partial<Screens[N]>>(
    screen: N,
    load: (c: FlowContext<Screens, SessionData>) => Awaitable<D>,
  ): Flow<string extends keyof Screens ? Screens : WithBaseData<Screens, N, D>, Moves, SessionData>;
  /**
   * The Flow is finished: its `nfm_reply` webhook has come in. Handled like every event: at least once, with retries.
   * A completion belongs to this Flow when it was made by `c.complete`, when its flow token begins with the Flow's name
   * and a colon, or when `options.matches` says so.
   */
  completed(handler: CompletedHandler<JsonObject, SessionData>, options?: CompletedOptions): this;
  /** The same with the data validated; what does not fit is a dead letter at once. */
  completed<S extends StandardSchemaV1>(
    schema: S,
    handler: CompletedHandler<StandardSchemaV1.InferOutput<S>, SessionData>,
    options?: CompletedOptions,
  ): this;
  /** Answers for a handler that threw, is missing, or passed the deadline. Without one the user sees a generic error. */
  fallback(handler: FallbackHandler<Screens, SessionData>): this;
}
