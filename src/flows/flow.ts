/** A Flow as its author writes it: handlers by action and screen. Collects, and checks what it collects; runs nothing. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { callable, isStandardSchema } from '../checks.ts';
import { toLimits } from '../webhooks/limits.ts';
import type { CompletableFlow, CompletedHandler, CompletedOptions, CompletionStep } from './completion.ts';
import type { FallbackContext, FlowContext, ScreenName } from './context.ts';
import { type AnyScreens, entryScreenOf, type FlowJson, type ScreenMap } from './flow-json.ts';
import type { FlowReply } from './reply.ts';

type Awaitable<T> = T | Promise<T>;

export type FlowHandler<Screens extends ScreenMap = AnyScreens> = (c: FlowContext<Screens>) => Awaitable<FlowReply>;

export type FlowInputHandler<Screens extends ScreenMap, Input> = (
  c: FlowContext<Screens>,
  input: Input,
) => Awaitable<FlowReply>;

export type FallbackHandler<Screens extends ScreenMap = AnyScreens> = (
  c: FallbackContext<Screens>,
) => Awaitable<FlowReply>;

/** @returns true for a living token; false, or the sentence the user reads, for a dead one. */
export type TokenCheck = (
  token: string | undefined,
  c: { readonly signal: AbortSignal },
) => Awaitable<boolean | string>;

export interface FlowOptions {
  /** The published Flow JSON: tells the entry screen and what each screen declares. */
  readonly json?: FlowJson;
  /** Asked before every handler, within the deadline; a dead token answers 427 and disables the message's button. */
  readonly checkToken?: TokenCheck;
}

/** `Screens` after `.data(N, ...)` gave the keys of `D`: they may be left out from there on. */
export type WithBaseData<Screens extends ScreenMap, N extends keyof Screens, D> = {
  [K in keyof Screens]: K extends N
    ? Omit<Screens[K], keyof D> & Partial<Pick<Screens[K], keyof D & keyof Screens[K]>>
    : Screens[K];
};

/** Screens, actions and handlers of one Flow; each pair of action and screen may be given once. */
export interface Flow<Screens extends ScreenMap = AnyScreens> {
  readonly name: string;
  /** The user opened the Flow. */
  init(handler: FlowHandler<Screens>): this;
  /** The user submitted `screen`, or picked something on it that asks the endpoint. */
  on<N extends ScreenName<Screens>>(screen: N, handler: FlowHandler<Screens>): this;
  /**
   * The same with the payload validated, by any Standard Schema library (zod, valibot, arktype).
   * What does not fit is answered with the same screen and a message for each field.
   */
  on<N extends ScreenName<Screens>, S extends StandardSchemaV1>(
    screen: N,
    schema: S,
    handler: FlowInputHandler<Screens, StandardSchemaV1.InferOutput<S>>,
  ): this;
  /** The user went back from `screen`, which has `refresh_on_back`. There is no payload. */
  back<N extends ScreenName<Screens>>(screen: N, handler: FlowHandler<Screens>): this;
  /**
   * Data that `screen` always needs: put under every answer that shows it, validation failures included.
   * A client that gets a screen without the data its components bind to shows an error.
   */
  data<N extends ScreenName<Screens>, D extends Partial<Screens[N]>>(
    screen: N,
    load: (c: FlowContext<Screens>) => Awaitable<D>,
  ): Flow<string extends keyof Screens ? Screens : WithBaseData<Screens, N, D>>;
  /**
   * The Flow is finished: its `nfm_reply` webhook has come in. Handled like every event: at least once, with retries.
   * A completion belongs to this Flow when it was made by `c.complete`, when its flow token begins with the Flow's name
   * and a colon, or when `options.matches` says so.
   */
  completed(handler: CompletedHandler, options?: CompletedOptions): this;
  /** The same with the data validated; what does not fit is a dead letter at once. */
  completed<S extends StandardSchemaV1>(
    schema: S,
    handler: CompletedHandler<StandardSchemaV1.InferOutput<S>>,
    options?: CompletedOptions,
  ): this;
  /** Answers for a handler that threw, is missing, or passed the deadline. Without one the user sees a generic error. */
  fallback(handler: FallbackHandler<Screens>): this;
}

/** One handler with what stands in front of it. */
export interface Step {
  readonly schema: StandardSchemaV1 | undefined;
  readonly handler: FlowInputHandler<AnyScreens, unknown>;
}

/** What the dispatcher reads. */
export class FlowDefinition implements Flow, CompletableFlow {
  readonly name: string;
  readonly json: FlowJson | undefined;
  readonly entryScreen: string | undefined;
  readonly checkToken: TokenCheck | undefined;
  initStep: Step | undefined;
  fallbackHandler: FallbackHandler | undefined;
  completion: CompletionStep | undefined;
  readonly submitSteps = new Map<string, Step>();
  readonly backSteps = new Map<string, Step>();
  readonly baseData = new Map<string, (c: FlowContext) => Awaitable<object>>();

  constructor(name: string, { json, checkToken }: FlowOptions) {
    this.name = name;
    this.json = json;
    this.entryScreen = json && entryScreenOf(json);
    this.checkToken = checkToken;
  }

  init(handler: FlowHandler): this {
    if (this.initStep) throw new TypeError(`flow ${this.name}: init was given twice`);
    this.initStep = { schema: undefined, handler: callable(handler) };
    return this;
  }

  on(screen: string, ...rest: [FlowHandler] | [StandardSchemaV1, FlowInputHandler<AnyScreens, unknown>]): this {
    const [schema, handler] = rest.length === 1 ? [undefined, rest[0]] : rest;
    if (schema !== undefined && !isStandardSchema(schema)) {
      throw new TypeError(
        `flow ${this.name}: the schema of ${screen} is no Standard Schema (zod 3.24+, valibot 1+, arktype 2+)`,
      );
    }
    this.#add(this.submitSteps, 'on', screen, { schema, handler: callable(handler) });
    return this;
  }

  back(screen: string, handler: FlowHandler): this {
    this.#add(this.backSteps, 'back', screen, { schema: undefined, handler: callable(handler) });
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

  #add<T>(steps: Map<string, T>, method: string, screen: string, step: T): void {
    if (steps.has(screen)) throw new TypeError(`flow ${this.name}: ${method}('${screen}') was given twice`);
    if (this.json && !this.json.screens.some(({ id }) => id === screen)) {
      throw new TypeError(`flow ${this.name}: ${method}('${screen}') names a screen that its Flow JSON does not have`);
    }
    steps.set(screen, step);
  }
}
