/** The playground of `flowgate dev`: a service that serves the page beside its metrics, or the page alone. */
import { randomUUID } from 'node:crypto';
import { APP, type App } from '../app.ts';
import { systemClock } from '../clock.ts';
import type { Config, Settings } from '../config/settings.ts';
import { createNodeServer } from '../http/node.ts';
import { createRouter, type Route } from '../http/router.ts';
import { createLog } from '../log.ts';
import { type Service, type ServiceParts, startService, urlOf } from '../service.ts';
import { openInbox } from '../stores/open-inbox.ts';
import type { Inbox } from '../webhooks/inbox.ts';
import type { AppFailure } from './api.ts';
import { reportApp, reportFailure } from './app-report.ts';
import { type Call, callsOf, reportCall } from './calls.ts';
import { Credentials } from './credentials.ts';
import { Deferrals } from './deferrals.ts';
import { loadPage } from './page-files.ts';
import { RequestRecords } from './request-records.ts';
import { playgroundRoutes } from './routes.ts';
import { stageTracing } from './stage-tracing.ts';
import { closeStandIns, startStandIns, withStandIns } from './stand-ins.ts';

type Calls = ReadonlyMap<string, Call>;

export interface PlaygroundParts extends ServiceParts {
  readonly settings: Settings;
  /** Of `node:crypto` by default. */
  readonly randomBytes?: (size: number) => Buffer;
}

/**
 * Starts `app` as `startService` does, with the playground on its admin port. Without settings for the Graph API, what
 * handlers send comes to the playground's phone. Rejects as that does.
 */
export async function startWithPlayground(app: App, parts: PlaygroundParts): Promise<Service> {
  const { settings, clock = systemClock } = parts;
  const { flows, handlers } = app[APP];
  const [records, deferrals] = [new RequestRecords(), new Deferrals()];
  const standIns = await startStandIns(flows, parts);
  let calls: Calls | undefined;
  let inbox: Inbox | undefined;
  try {
    const definition = { ...app[APP], handlers: deferrals.handlers(handlers) };
    const service = await startService(definition, {
      ...parts,
      settings: withStandIns(settings, standIns),
      onViolations: records.onViolations,
      onHandlerFailed: records.onHandlerFailed,
      wrapTracing: (own) => stageTracing(records, clock, own),
      findAdminRoute: routesFor(settings.config, () => calls),
      async openInbox(options) {
        inbox = await (parts.openInbox ?? openInbox)(options);
        return deferrals.inbox(inbox);
      },
    });
    if (!inbox) throw new TypeError('a service without an inbox');
    const { url: publicUrl } = service;
    const credentials = new Credentials(settings, flows);
    const report = reportApp(randomUUID(), publicUrl, {
      flows: flows.values(),
      sendsToPhone: standIns.graph !== undefined,
    });
    calls = callsOf({ app, flows, publicUrl, credentials, records, inbox, deferrals, report, ...standIns });
    return { ...service, close: () => service.close().finally(() => closeStandIns(standIns)) };
  } catch (error) {
    await closeStandIns(standIns);
    throw error;
  }
}

export interface LonePlayground {
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** The page with nothing but why there is no app. Rejects with `LISTEN_FAILED`. */
export async function servePlaygroundAlone(
  failure: AppFailure,
  config: Pick<Config, 'adminHost' | 'adminPort'>,
): Promise<LonePlayground> {
  const calls = reportCall(reportFailure(randomUUID(), failure));
  const server = createNodeServer({
    handler: createRouter(routesFor(config, () => calls)),
    exchangeTimeoutMs: ALONE_TIMEOUT_MS,
    clock: systemClock,
    log: createLog('silent'),
  });
  const port = await server.listen({ host: config.adminHost, port: config.adminPort });
  return { adminUrl: urlOf('http', config.adminHost, port), close: () => server.close(CLOSE_GRACE_MS) };
}

const ALONE_TIMEOUT_MS = 10_000;
const CLOSE_GRACE_MS = 1_000;

function routesFor(
  { adminHost }: Pick<Config, 'adminHost'>,
  calls: () => Calls | undefined,
): (path: string) => Route | undefined {
  return playgroundRoutes({ adminHost, findFile: loadPage(), calls });
}
