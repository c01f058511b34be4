/** createApp(): collects Flows and their handlers. Knows no transport, store or thread. */
import type { SettingOverrides } from './config/settings.ts';
import { type Flow, FlowDefinition, type FlowOptions } from './flows/flow.ts';
import type { AnyScreens, FlowJson, ScreenMap, ScreensOf } from './flows/flow-json.ts';
import type { AppDefinition, FlowHost } from './service.ts';

/** A registered symbol: the command that serves an app may load another copy of this package than the app does. */
export const APP: unique symbol = Symbol.for('flowgate.app') as never;

export interface AppOptions {
  /** Settings by their environment names; each beats its variable. Used by `fetch`, and by `flowgate serve`. */
  readonly settings?: SettingOverrides;
}

export interface App {
  readonly [APP]: AppDefinition;
  /**
   * Serves `POST /flows/<name>`. Screen names and data are compile-checked when they are known: from a Flow JSON given
   * as a literal, or from a type, `app.flow<{ DETAILS: { slots: Slot[] } }>('booking', ...)`.
   *
   * @param name lower-case letters, digits and hyphens, 1 to 64; a TypeError for another, or for one given twice.
   */
  flow<const J extends FlowJson>(name: string, options: FlowOptions & { readonly json: J }): Flow<ScreensOf<J>>;
  flow<Screens extends ScreenMap = AnyScreens>(name: string, options?: FlowOptions): Flow<Screens>;
  /** The service behind the web standard, for Express, Fastify, Hono or a test. Starts its workers on the first call. */
  fetch(request: Request): Promise<Response>;
  /** Ends what `fetch` started. */
  close(): Promise<void>;
}

const FLOW_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

export function createApp({ settings = {} }: AppOptions = {}): App {
  const flows = new Map<string, FlowDefinition>();
  const definition: AppDefinition = { flows, settings };
  let host: Promise<FlowHost> | undefined;

  return {
    [APP]: definition,
    flow(name: string, options: FlowOptions = {}) {
      if (!FLOW_NAME.test(name))
        throw new TypeError('a flow name takes lower-case letters, digits and hyphens, up to 64');
      if (flows.has(name)) throw new TypeError(`flow ${name} was given twice`);
      const flow = new FlowDefinition(name, options);
      flows.set(name, flow);
      return flow as never;
    },
    async fetch(request) {
      host ??= import('./service.ts').then(({ openHost }) => openHost(definition));
      return (await host).fetch(request);
    },
    async close() {
      const opened = host;
      host = undefined;
      await (await opened)?.close();
    },
  };
}

export function isApp(value: unknown): value is App {
  return typeof value === 'object' && value !== null && APP in value;
}
