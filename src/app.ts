/** createApp(): collects Flows, event handlers and jobs. Knows no transport, store or thread. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { SettingOverrides } from './config/settings.ts';
import type { Flow, FlowOptions } from './flows/flow.ts';
import { FlowDefinition } from './flows/flow-definition.ts';
import type { AnyMoves, AnyScreens, FlowJson, MoveMap, MovesOf, ScreenMap, ScreensOf } from './flows/flow-json.ts';
import type { Host } from './host.ts';
import type { AppDefinition } from './host-parts.ts';
import type { JsonObject } from './json.ts';
import type { TenantProvider } from './tenants/lookup.ts';
import type { MintOptions, Tokens } from './tokens/tokens.ts';
import type { EventPattern } from './webhooks/event-types.ts';
import { type EventFilter, type EventHandler, Handlers } from './webhooks/handlers.ts';
import type { Job, JobHandler, JobOptions } from './webhooks/jobs.ts';
import type { LimitOptions } from './webhooks/limits.ts';

/** A registered symbol: the command that serves an app may load another copy of this package than the app does. */
export const APP: unique symbol = Symbol.for('flowgate.app') as never;

export interface AppOptions {
  /** Settings by their environment names; each beats its variable. Used by `fetch`, and by `flowgate serve`. */
  readonly settings?: SettingOverrides;
  /**
   * Credentials of the businesses that share this server: each has its Flows at `POST /flows/<name>/<tenant>` and its
   * webhook at `/webhook/<tenant>`. Asked for a name once, and again every few minutes; undefined for one that is none.
   */
  readonly tenants?: TenantProvider;
}

/** Of all Flows of an app. */
export interface AppTokens {
  /**
   * Makes a flow token to send with a message: unguessable, and for one user of one Flow. With it `c.user` is that user;
   * once it has expired or is used, requests with it are answered 427.
   * Rejects with a TypeError for a Flow the app does not have, an option out of bounds, or while the app does not run.
   */
  mint(options: MintOptions & { readonly tenant?: string }): Promise<string>;
  /** Makes it a dead one. @returns false when it was dead already. */
  revoke(token: string): Promise<boolean>;
}

export interface App {
  readonly [APP]: AppDefinition;
  readonly tokens: AppTokens;
  /**
   * Serves `POST /flows/<name>`. Screen names and data are compile-checked when they are known: from a Flow JSON given
   * as a literal, or from a type, `app.flow<{ DETAILS: { slots: Slot[] } }>('booking', ...)`. So is which screen may
   * follow which, from the literal's routes or a second type: `flowgate flow types` writes both from a file.
   *
   * @param name lower-case letters, digits and hyphens, 1 to 64; a TypeError for another, or for one given twice.
   */
  flow<const J extends FlowJson>(
    name: string,
    options: Omit<FlowOptions, 'json'> & { readonly json: J },
  ): Flow<ScreensOf<J>, MovesOf<J>>;
  flow<Screens extends ScreenMap = AnyScreens, Moves extends MoveMap = AnyMoves>(
    name: string,
    options?: FlowOptions,
  ): Flow<Screens, Moves>;
  /**
   * Handles an event that a webhook brought: at least once, with retries, and a dead letter in the end. An event goes to
   * one handler: the first added whose name and filter fit. Completed Flows go to `flow.completed` first.
   *
   * @param event a name, or `message.*`, `status.*`, `flow.*`; a TypeError for another.
   */
  on<P extends EventPattern>(event: P, handler: EventHandler<P>, options?: LimitOptions): App;
  on<P extends EventPattern>(event: P, filter: EventFilter<P>, handler: EventHandler<P>, options?: LimitOptions): App;
  /**
   * Handles the jobs that handlers leave for later with `c.defer`: with the promises of an event.
   *
   * @param name lower-case letters, digits, hyphens and underscores, 1 to 64; a TypeError for another, or for one given
   * twice.
   */
  job<S extends StandardSchemaV1>(
    name: string,
    options: JobOptions<S> & { readonly schema: S },
    handler: JobHandler<StandardSchemaV1.InferOutput<S>>,
  ): Job<StandardSchemaV1.InferInput<S> & object>;
  job<Payload extends object = JsonObject>(
    name: string,
    options: JobOptions,
    handler: JobHandler<Payload>,
  ): Job<Payload>;
  /** The service behind the web standard, for Express, Fastify, Hono or a test. Starts its workers on the first call. */
  fetch(request: Request): Promise<Response>;
  /** Ends what `fetch` started. */
  close(): Promise<void>;
}

const FLOW_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

export function createApp({ settings = {}, tenants }: AppOptions = {}): App {
  const flows = new Map<string, FlowDefinition>();
  const handlers = new Handlers(flows);
  const running: AppDefinition['running'] = { current: undefined };
  const definition: AppDefinition = { flows, handlers, settings, tenants, running };
  let host: Promise<Host> | undefined;

  const app: App = {
    [APP]: definition,
    tokens: {
      async mint({ flow, tenant, ...options }) {
        const known = flows.get(flow);
        if (!known) throw new TypeError(`there is no flow ${flow} to mint a token for`);
        return tokensOf(definition).mint({ ...options, flow: known.scopeFor(tenant) });
      },
      revoke: async (token) => tokensOf(definition).revoke(token),
    },
    flow(name: string, options: FlowOptions = {}) {
      if (!FLOW_NAME.test(name))
        throw new TypeError('a flow name takes lower-case letters, digits and hyphens, up to 64');
      if (flows.has(name)) throw new TypeError(`flow ${name} was given twice`);
      const flow = new FlowDefinition(name, options);
      flows.set(name, flow);
      return flow as never;
    },
    on(event: string, ...rest: readonly unknown[]) {
      handlers.on(event, ...rest);
      return app;
    },
    job(name: string, options: JobOptions, handler: unknown) {
      return handlers.job(name, options, handler) as never;
    },
    async fetch(request) {
      host ??= import('./host.ts').then(({ openHost }) => openHost(definition));
      return (await host).fetch(request);
    },
    async close() {
      const opened = host;
      host = undefined;
      await (await opened)?.close();
    },
  };
  return app;
}

function tokensOf({ running }: AppDefinition): Tokens {
  if (running.current) return running.current.tokens;
  throw new TypeError('tokens are kept by a running app: serve it, or call app.fetch() or a test phone first');
}

export function isApp(value: unknown): value is App {
  return typeof value === 'object' && value !== null && APP in value;
}
