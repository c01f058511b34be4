/** Collects a Flow's handlers, and checks what it collects; runs nothing. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { callable, isStandardSchema } from '../checks.ts';
import type { Duration } from '../duration.ts';
import { FlowgateError } from '../errors.ts';
import { ANY_SESSION, type SessionKind, sessionKind } from '../sessions/session-kind.ts';
import { type FlowCredentials, isOfAnother } from '../tenants/credentials.ts';
import type { SignatureMode } from '../tokens/token-signature.ts';
import type { TokenMode } from '../tokens/tokens.ts';
import { toLimits } from '../webhooks/limits.ts';
import type { CompletableFlow, CompletedOptions, CompletionStep } from './completion.ts';
import type { FlowContext } from './context.ts';
import type {
  FallbackHandler,
  Flow,
  FlowHandler,
  FlowInputHandler,
  FlowOptions,
  SubmitOptions,
  TokenCheck,
} from './flow.ts';
import { type AnyScreens, entryScreenOf, type FlowJson } from './flow-json.ts';
import { scopeOf } from './flow-scope.ts';
import { checkFlowJson, isFatal } from './guard/check-flow-json.ts';
import { compileGuard, type ReplyGuard } from './guard/reply-guard.ts';
import { toWindowMs } from './submit-memory.ts';

type Awaitable<T> = T | Promise<T>;

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
  /** It belongs to a business of its own. */
  readonly isOfAnother: boolean;
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
    this.isOfAnother = isOfAnother(credentials);
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
