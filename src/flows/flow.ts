/** A Flow as its author writes it: handlers by action and screen. Collects, and checks what it collects; runs nothing. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { callable, isStandardSchema } from '../checks.ts';
import type { Duration } from '../duration.ts';
import { FlowgateError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { ANY_SESSION, type SessionKind, sessionKind } from '../sessions/session-kind.ts';
import type { FlowCredentials } from '../tenants/credentials.ts';
import type { SignatureMode } from '../tokens/token-signature.ts';
import type { TokenMode } from '../tokens/tokens.ts';
import { toLimits } from '../webhooks/limits.ts';
import type { CompletableFlow, CompletedHandler, CompletedOptions, CompletionStep } from './completion.ts';
import type { FallbackContext, FlowContext, ScreenName } from './context.ts';
import {
  type AnyMoves,
  type AnyScreens,
  entryScreenOf,
  type FlowJson,
  type MoveMap,
  type ScreenMap,
  type ScreensFrom,
} from './flow-json.ts';
import { scopeOf } from './flow-scope.ts';
import { checkFlowJson, isFatal } from './guard/check-flow-json.ts';
import { compileGuard, type ReplyGuard } from './guard/reply-guard.ts';
import type { FlowReply } from './reply.ts';
import { toWindowMs } from './submit-memory.ts';

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

/** One handler with what stands in front of it. */
export interface Step {
  readonly schema: StandardSchemaV1 | undefined;
  readonly handler: FlowInputHandler<AnyScreens, unknown>;
  /** How long the answer of a submit is kept for the same one; undefined: the handler runs every time. */
  readonly onceMs: number | undefined;
}

/** What the dispatcher reads. */
export class FlowDefinition implements Flow, CompletableFlow {
  readonly name: string;
  readonly json: FlowJson | undefined;
  readonly entryScreen: string | undefined;
  readonly checkToken: TokenCheck | undefined;
  readonly guard: FlowOptions['guard'];
  /** Undefined without a Flow JSON. */
  readonly compiledGuard: ReplyGuard | undefined;
  readonly tokens: TokenMode;
  readonly tokenSignature: SignatureMode;
  readonly metaFlow: NonNullable<FlowOptions['metaFlow']>;
  readonly credentials: FlowCredentials;
  sessionKind: SessionKind = ANY_SESSION;
  initStep: Step | undefined;
  fallbackHandler: FallbackHandler | undefined;
  completion: CompletionStep | undefined;
  readonly submitSteps = new Map<string, Step>();
  readonly backSteps = new Map<string, Step>();
  readonly baseData = new Map<string, (c: FlowContext) => Awaitable<object>>();

  /** @throws FlowgateError `FLOW_JSON_INVALID` when the Flow JSON is none, or its screens and routes cannot be told. */
  constructor(
    name: string,
    { json, checkToken, guard, metaFlow, tokens, tokenSignature, ...credentials }: FlowOptions,
  ) {
    if (json !== undefined) refuseBroken(name, json);
    this.name = name;
    this.json = json;
    this.entryScreen = json && entryScreenOf(json);
    this.checkToken = checkToken;
    this.guard = guard;
    this.compiledGuard = json && guard !== 'off' ? compileGuard(json) : undefined;
    this.tokens = tokens ?? 'optional';
    this.tokenSignature = tokenSignature ?? 'optional';
    this.metaFlow = metaFlow ?? { flowName: name };
    this.credentials = credentials;
  }

  /** @param tenant of a request or a webhook; what has none is the Flow's own business's. */
  scopeFor(tenant: string | undefined): string {
    return scopeOf(this.name, tenant ?? this.credentials.tenant);
  }

  session(schema: StandardSchemaV1, { ttl }: { readonly ttl?: Duration } = {}): never {
    if (this.sessionKind !== ANY_SESSION) throw new TypeError(`flow ${this.name}: session was given twice`);
    this.sessionKind = sessionKind(this.#standard(schema, 'the session'), ttl);
    return this as never; // the same Flow, whose handlers know more of their session
  }

  init(handler: FlowHandler): this {
    if (this.initStep) throw new TypeError(`flow ${this.name}: init was given twice`);
    this.initStep = { schema: undefined, handler: callable(handler), onceMs: undefined };
    return this;
  }

  on(screen: string, ...given: readonly unknown[]): this {
    const hasSchema = isStandardSchema(given[0]) || typeof given[1] === 'function';
    const [schema, handler, options = {}] = hasSchema ? given : [undefined, ...given];
    const { once } = options as SubmitOptions;
    this.#add(this.submitSteps, 'on', screen, {
      schema: hasSchema ? this.#standard(schema, screen) : undefined,
      handler: callable(handler as FlowInputHandler<AnyScreens, unknown>),
      onceMs: once === undefined ? undefined : toWindowMs(once),
    });
    return this;
  }

  back(screen: string, handler: FlowHandler): this {
    this.#add(this.backSteps, 'back', screen, { schema: undefined, handler: callable(handler), onceMs: undefined });
    return this;
  }

  data(screen: string, load: (c: FlowContext) => Awaitable<object>): this {
    this.#add(this.baseData, 'data', screen, callable(load));
    return this;
  }

  completed(...given: readonly unknown[]): this {
    if (this.completion) throw new TypeError(`flow ${this.name}: completed was given twice`);
    const [schema, handler, options = {}] = isStandardSchema(given[0]) ? given : [undefined, ...given];
    toLimits(options as CompletedOptions); // a mistake in them is to be found now
    this.completion = { schema, handler: callable(handler), options } as CompletionStep;
    return this;
  }

  fallback(handler: FallbackHandler): this {
    if (this.fallbackHandler) throw new TypeError(`flow ${this.name}: fallback was given twice`);
    this.fallbackHandler = callable(handler);
    return this;
  }

  #standard(schema: unknown, of: string): StandardSchemaV1 {
    if (isStandardSchema(schema)) return schema;
    throw new TypeError(
      `flow ${this.name}: the schema of ${of} is no Standard Schema (zod 3.24+, valibot 1+, arktype 2+)`,
    );
  }

  #add<T>(steps: Map<string, T>, method: string, screen: string, step: T): void {
    if (steps.has(screen)) throw new TypeError(`flow ${this.name}: ${method}('${screen}') was given twice`);
    if (this.json && !this.json.screens.some(({ id }) => id === screen)) {
      throw new TypeError(`flow ${this.name}: ${method}('${screen}') names a screen that its Flow JSON does not have`);
    }
    steps.set(screen, step);
  }
}

/** What would make an answer's screen or route a guess; whatever else Meta may refuse is for `flowgate flow check` to tell. */
function refuseBroken(name: string, json: unknown): void {
  const [fatal] = checkFlowJson(json).filter(isFatal);
  if (!fatal) return;
  throw new FlowgateError('FLOW_JSON_INVALID', `flow ${name}: ${fatal.where}: ${fatal.message}`);
}
