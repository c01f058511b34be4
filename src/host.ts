/** Builds each part in order, hands it what it needs, and ends them in reverse: everything but the listeners. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import {
  type Config,
  loadSettings,
  type Secrets,
  type SettingOverrides,
  type Settings,
  withOverrides,
} from './config/settings.ts';
import { watchFiles } from './config/watch-files.ts';
import { DecryptPool, type DecryptPoolOptions } from './crypto/decrypt-pool.ts';
import { keyRoute } from './crypto/key-report.ts';
import { KeyWatcher } from './crypto/key-watcher.ts';
import type { KeyUnwrapper } from './crypto/open-envelope.ts';
import { type Facilities, openFacilities } from './facilities.ts';
import { createFlowEndpoint, type FlowDeps } from './flows/endpoint.ts';
import type { FlowDefinition } from './flows/flow.ts';
import { type RefusedAnswer, ViolationLog } from './flows/guard-reply.ts';
import { ReplyMemory } from './flows/reply-memory.ts';
import { createGraph } from './graph/graph.ts';
import { answerFetch } from './http/fetch.ts';
import { createRouter, findRoute, type Route } from './http/router.ts';
import type { HttpHandler } from './http/server.ts';
import { createLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';
import { answers, loopRuns, probeLoop, Readiness } from './readiness.ts';
import type { StateStore } from './state/state-store.ts';
import { type OpenInboxOptions, openInbox } from './stores/open-inbox.ts';
import { type OpenStateOptions, openState } from './stores/open-state.ts';
import type { TenantProvider } from './tenants/lookup.ts';
import { Tenancy } from './tenants/tenancy.ts';
import { createTracing } from './tracing/otel.ts';
import type { Tracing } from './tracing/tracing.ts';
import { inboxRoutes } from './webhooks/admin.ts';
import { createWebhookEndpoint } from './webhooks/endpoint.ts';
import type { Handlers } from './webhooks/handlers.ts';
import { DEFAULT_LEASE_MS, type Inbox } from './webhooks/inbox.ts';
import { createDefer } from './webhooks/jobs.ts';
import { InboxWorkers } from './webhooks/workers.ts';

/** What the service reads of an app. */
export interface AppDefinition {
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly handlers: Handlers;
  readonly settings: SettingOverrides;
  /** Credentials of the businesses in paths like `/flows/booking/acme`; undefined: there are none. */
  readonly tenants: TenantProvider | undefined;
  /** What the app reaches outside its handlers, while it runs. */
  readonly running: RunningFacilities;
}

/** Of the host that was opened last. */
export interface RunningFacilities {
  current: Facilities | undefined;
}

export interface HostParts {
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Decrypts in place of the worker pool: how a bench compares other ways to do it. */
  readonly startDecryption?: (options: DecryptPoolOptions) => Promise<KeyUnwrapper>;
  /** Keeps events in place of the settings' store: a test's own is in memory. */
  readonly openInbox?: (options: OpenInboxOptions) => Promise<Inbox>;
  /** Keeps sessions and tokens in place of the settings' store. */
  readonly openState?: (options: OpenStateOptions) => Promise<StateStore>;
  /** Told of every answer that does not fit its Flow JSON. */
  readonly onViolations?: (refused: RefusedAnswer) => void;
  /** Told of what a handler threw, message and all. */
  readonly onHandlerFailed?: (requestId: string, error: unknown) => void;
  /** Stands between the service and its tracer, where there is one. */
  readonly wrapTracing?: (tracing: Tracing | undefined) => Tracing;
  /** More of them on the admin port. */
  readonly findAdminRoute?: (path: string) => Route | undefined;
}

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
const PLAIN = { 'Content-Type': 'text/plain' };
const LIVENESS: Route = { methods: ['GET', 'HEAD'], handler: () => ({ status: 200, headers: PLAIN, body: 'ok' }) };

/** Rejects with `SETTINGS_INVALID`, `POOL_START_FAILED`, `INBOX_LOCKED` or `INBOX_OPEN_FAILED`. */
export async function openHost(app: AppDefinition, parts: HostParts = {}): Promise<Host> {
  const settings = parts.settings ?? loadSettings(withOverrides(app.settings));
  const { config } = settings;
  const { clock = systemClock, log = createLog(config.logLevel), wrapTracing = (own) => own } = parts;
  const tracing: Tracing | undefined = wrapTracing(createTracing(clock));
  const shared: Shared = { clock, log, metrics: createMetrics(), tracing, ...config };
  const { inbox, facilities, answering } = await startParts(app, settings, parts, shared);
  app.running.current = facilities;
  const { keys } = answering;
  const endReports = await reportKeys(keys, settings, shared);
  const workers = config.role === 'web' ? undefined : startWorkers(app, settings, { inbox, facilities }, shared);
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
  const inbox = await startInbox(settings, parts, shared);
  const opened: { close(): Promise<void> }[] = [inbox];
  try {
    const facilities = await startFacilities(settings, parts, shared);
    opened.unshift(facilities);
    const answering = await startAnswering(app, settings, { inbox, facilities }, parts, shared);
    return { inbox, facilities, answering };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

interface Shared extends Config {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
}

interface Answering {
  readonly find: (path: string) => Route | undefined;
  readonly keys: KeyWatcher | undefined;
  problem(): string | undefined;
  close(): Promise<void>;
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

/** What both halves keep things in. */
interface Kept {
  readonly inbox: Inbox;
  readonly facilities: Facilities;
}

/** A worker has no secrets, and answers nothing but the probe. */
async function startAnswering(
  app: AppDefinition,
  { secrets, redisUrl }: Settings,
  { inbox, facilities }: Kept,
  { startDecryption = DecryptPool.start, onViolations, onHandlerFailed }: HostParts,
  shared: Shared,
): Promise<Answering> {
  const routes = new Map<string, Route>([['/healthz', LIVENESS]]);
  const find = (path: string) => findRoute(routes, path);
  if (!secrets) return { find, keys: undefined, problem: () => undefined, close: async () => {} };

  const { clock, log, metrics } = shared;
  const { appSecrets } = secrets;
  const tenancy = new Tenancy({ flows: app.flows, provider: app.tenants, appSecrets, clock, log });
  const { workerNiceness: niceness, decryptBatch: maxBatch, maxQueueWaitMs: maxWaitMs } = shared;
  const pool = await startDecryption({ ...shared, niceness, maxBatch, maxWaitMs, keys: secrets.keys });
  const shareReplies = await openSharedReplies(redisUrl, shared);
  const replies = new ReplyMemory(clock, {}, shareReplies);
  metrics.replyMemoryBytes.collectFrom(() => replies.replyBytes);
  // A request that comes again is another one: the jobs its handler defers have ids of their own.
  const newDefer = (traceparent?: string) => createDefer(inbox, app.handlers, randomUUID(), traceparent);
  const violationLog = new ViolationLog(shared);
  const told = { onViolations, onHandlerFailed };
  const deps: FlowDeps = { ...shared, ...secrets, ...told, pool, replies, newDefer, facilities, violationLog };
  for (const flow of app.flows.values()) {
    const handler = createFlowEndpoint(flow, deps, tenancy.ownerOf(flow));
    routes.set(`/flows/${flow.name}`, { methods: ['POST'], handler, forTenant: tenancy.under(handler, flow) });
  }
  const ofWebhook = { ...shared, ...secrets, appSecrets: tenancy.webhookSecrets, inbox, handlers: app.handlers };
  const webhook = createWebhookEndpoint(ofWebhook);
  routes.set('/webhook', { methods: ['GET', 'POST'], handler: webhook, forTenant: tenancy.under(webhook) });
  const keys = watchKeys(pool, secrets, shared);
  const close = async () => {
    tenancy.close();
    await keys?.close();
    await pool.close();
    await shareReplies?.close();
  };
  return { find, keys, problem: () => pool.problem, close };
}

/** Late: without Redis its client is not loaded. */
async function openSharedReplies(redisUrl: string | undefined, { clock, metrics }: Shared) {
  if (redisUrl === undefined) return undefined;
  const { RedisReplies } = await import('./stores/redis-replies.ts');
  const onOutcome = (outcome: string) => outcome === 'unavailable' && metrics.replyNotShared();
  return new RedisReplies({ url: redisUrl, clock, onOutcome });
}

function watchKeys(pool: KeyUnwrapper, { keys, keySource }: Secrets, shared: Shared): KeyWatcher | undefined {
  const replaceKeys = pool.replaceKeys?.bind(pool);
  return replaceKeys && new KeyWatcher({ ...shared, keys, keySource, replaceKeys, watch: watchFiles });
}

/** Tells in Redis which keys are held here, for `flowgate keys rotate`. @returns how to end that. */
async function reportKeys(
  keys: KeyWatcher | undefined,
  { redisUrl }: Settings,
  { clock }: Shared,
): Promise<() => Promise<void>> {
  if (!keys || redisUrl === undefined) return async () => {};
  const { RedisKeys } = await import('./stores/redis-keys.ts'); // late: without Redis its client is not loaded
  const redisKeys = new RedisKeys({ url: redisUrl, clock });
  redisKeys.report(() => keys);
  return () => redisKeys.close();
}

function startWorkers(
  { flows, handlers }: AppDefinition,
  { graph }: Settings,
  kept: Kept,
  shared: Shared,
): InboxWorkers {
  const { clock, metrics } = shared;
  const graphFor = createGraph(graph, clock, {
    messagesPerSecond: graph?.messagesPerSecond,
    onRetry: ({ graphCode, kind }) => metrics.graphRetry(String(graphCode ?? kind)),
    onTurn: (waitedMs) => metrics.graphTurn(waitedMs),
  });
  const deps = { ...kept, flows, handlers, graphFor, random: Math.random, leaseMs: DEFAULT_LEASE_MS };
  return new InboxWorkers({ ...shared, ...deps, concurrency: shared.inboxConcurrency });
}

function adminRoutes(
  metrics: Metrics,
  readiness: Readiness,
  inbox: Inbox,
  keys: KeyWatcher | undefined,
): (path: string) => Route | undefined {
  const render: HttpHandler = async () => ({
    status: 200,
    headers: { 'Content-Type': metrics.contentType },
    body: await metrics.render(),
  });
  const own = new Map<string, Route>([
    ['/metrics', { methods: ['GET'], handler: render }],
    ['/readyz', readiness.route],
    ['/healthz', LIVENESS], // all that a worker serves is here
  ]);
  if (keys) own.set('/keys', keyRoute(keys));
  const ofInbox = inboxRoutes(inbox);
  return (path) => own.get(path) ?? ofInbox(path);
}
