/** Builds each part in order, hands it what it needs, and ends them in reverse: everything but the listeners. */
import { adminRoutes } from './admin-routes.ts';
import { reportKeys, startAnswering } from './answering.ts';
import { systemClock } from './clock.ts';
import { loadSettings, type Settings, withOverrides } from './config/settings.ts';
import type { KeyWatcher } from './crypto/key-watcher.ts';
import { type Facilities, openFacilities } from './facilities.ts';
import { createGraph } from './graph/graph.ts';
import type { AppDefinition, HostParts, Kept, Shared } from './host-parts.ts';
import { answerFetch } from './http/fetch.ts';
import { createRouter } from './http/router.ts';
import type { HttpHandler } from './http/server.ts';
import { createLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';
import { answers, loopRuns, probeLoop, Readiness } from './readiness.ts';
import { openInbox } from './stores/open-inbox.ts';
import { openState } from './stores/open-state.ts';
import { Tenancy } from './tenants/tenancy.ts';
import { createTracing } from './tracing/otel.ts';
import type { Tracing } from './tracing/tracing.ts';
import { DEFAULT_LEASE_MS, type Inbox } from './webhooks/inbox.ts';
import { InboxWorkers } from './webhooks/workers.ts';

export interface Host {
  /** Flows, webhooks and the liveness probe. */
  readonly handler: HttpHandler;
  /** Metrics, the inbox, and which keys are held. */
  readonly adminHandler: HttpHandler;
  /** Undefined for a worker, and where decryption is not our own. */
  readonly keys: KeyWatcher | undefined;
  readonly metrics: Metrics;
  fetch(request: Request): Promise<Response>;
  /** Resolves when no handler runs and no event or job is due. For tests. */
  settled(): Promise<void>;
  /** Answers `/readyz` with 503 from here on. */
  drain(): void;
  /** Claims no more from the inbox, and waits that long for the handlers that run. */
  stopWorkers(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How long `close` waits for event handlers. */
const CLOSE_GRACE_MS = 10_000;

/** Rejects with `SETTINGS_INVALID`, `POOL_START_FAILED`, `INBOX_LOCKED` or `INBOX_OPEN_FAILED`. */
export async function openHost(app: AppDefinition, parts: HostParts = {}): Promise<Host> {
  const settings = parts.settings ?? loadSettings(withOverrides(app.settings));
  const { config } = settings;
  const { clock = systemClock, log = createLog(config.logLevel), wrapTracing = (own) => own } = parts;
  const tracing: Tracing | undefined = wrapTracing(createTracing(clock));
  const shared: Shared = { clock, log, metrics: createMetrics(), tracing, ...config };
  const { answering, ...kept } = await startParts(app, settings, parts, shared);
  const { inbox, facilities, tenancy } = kept;
  app.running.current = facilities;
  const { keys } = answering;
  const endReports = await reportKeys(keys, settings, shared);
  const workers = config.role === 'web' ? undefined : startWorkers(app, settings, kept, shared);
  const readiness = new Readiness({
    inbox: answers(() => inbox.stats()),
    keys: () => keys?.problem,
    decryption: () => answering.problem(),
    'event loop': loopRuns(clock, probeLoop()),
  });
  const handler = createRouter(answering.find);
  const findAdminRoute = adminRoutes(shared.metrics, readiness, inbox, keys);
  return {
    handler,
    adminHandler: createRouter((path) => findAdminRoute(path) ?? parts.findAdminRoute?.(path)),
    drain: () => readiness.drain(),
    keys,
    metrics: shared.metrics,
    fetch: (request) => answerFetch(handler, request, { clock, log }),
    settled: async () => workers?.settled(),
    stopWorkers: async (graceMs) => workers?.stop(graceMs),
    async close() {
      await workers?.stop(CLOSE_GRACE_MS);
      tenancy.close();
      await endReports();
      await answering.close();
      if (app.running.current === facilities) app.running.current = undefined;
      await facilities.close();
      await inbox.close();
    },
  };
}

/** What opened is closed again when the next does not. */
async function startParts(app: AppDefinition, settings: Settings, parts: HostParts, shared: Shared) {
  const tenancy = openTenancy(app, settings, shared);
  const inbox = await startInbox(settings, parts, shared);
  const opened: { close(): Promise<void> }[] = [inbox];
  try {
    const facilities = await startFacilities(settings, parts, shared);
    opened.unshift(facilities);
    const answering = await startAnswering(app, settings, { inbox, facilities, tenancy }, parts, shared);
    return { inbox, facilities, tenancy, answering };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

function openTenancy({ flows, tenants: provider }: AppDefinition, { secrets }: Settings, shared: Shared): Tenancy {
  return new Tenancy({ ...shared, flows, provider, appSecrets: secrets?.appSecrets, isSending: shared.role !== 'web' });
}

async function startInbox(
  { redisUrl }: Settings,
  { openInbox: open = openInbox }: HostParts,
  { dataDir, clock, log, metrics }: Shared,
): Promise<Inbox> {
  const onCommit = (calls: number, busyMs: number) => metrics.inboxCommit(calls, busyMs);
  const inbox = await open({ redisUrl, dataDir, clock, log, onCommit });
  metrics.inboxFrom(() => inbox.stats());
  return inbox;
}

async function startFacilities(
  { redisUrl }: Settings,
  { openState: open = openState }: HostParts,
  shared: Shared,
): Promise<Facilities> {
  const { dataDir, clock, log } = shared;
  return openFacilities({ ...shared, redisUrl, store: await open({ redisUrl, dataDir, clock, log }) });
}

function startWorkers(
  { flows, handlers }: AppDefinition,
  { graph }: Settings,
  { inbox, facilities, tenancy: { findSender } }: Kept,
  shared: Shared,
): InboxWorkers {
  const { clock, metrics } = shared;
  const graphFor = createGraph(graph, clock, {
    messagesPerSecond: graph.messagesPerSecond,
    onRetry: ({ graphCode, kind }) => metrics.graphRetry(String(graphCode ?? kind)),
    onTurn: (waitedMs) => metrics.graphTurn(waitedMs),
  });
  const given = { inbox, facilities, flows, handlers, graphFor, findSender };
  const own = { random: Math.random, leaseMs: DEFAULT_LEASE_MS, concurrency: shared.inboxConcurrency };
  return new InboxWorkers({ ...shared, ...given, ...own });
}
