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
import { createFlowEndpoint, type FlowDeps } from './flows/endpoint.ts';
import type { FlowDefinition } from './flows/flow.ts';
import { ReplyMemory } from './flows/reply-memory.ts';
import { createGraph } from './graph/graph.ts';
import { answerFetch } from './http/fetch.ts';
import { createRouter, type Route } from './http/router.ts';
import type { HttpHandler } from './http/server.ts';
import { createLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';
import { answers, loopRuns, probeLoop, Readiness } from './readiness.ts';
import { type OpenInboxOptions, openInbox } from './stores/open-inbox.ts';
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
}

export interface HostParts {
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Decrypts in place of the worker pool: how a bench compares other ways to do it. */
  readonly startDecryption?: (options: DecryptPoolOptions) => Promise<KeyUnwrapper>;
  /** Keeps events in place of the settings' store: a test's own is in memory. */
  readonly openInbox?: (options: OpenInboxOptions) => Promise<Inbox>;
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
  const { clock = systemClock, log = createLog(config.logLevel) } = parts;
  const shared: Shared = { clock, log, metrics: createMetrics(), tracing: createTracing(clock), ...config };
  const inbox = await startInbox(settings, parts, shared);
  let answering: Answering;
  try {
    answering = await startAnswering(app, settings, inbox, parts, shared);
  } catch (error) {
    await inbox.close();
    throw error;
  }
  const { keys } = answering;
  const endReports = await reportKeys(keys, settings, shared);
  const workers = config.role === 'web' ? undefined : startWorkers(app, settings, inbox, shared);
  const readiness = new Readiness({
    inbox: answers(() => inbox.stats()),
    keys: () => keys?.problem,
    decryption: () => answering.problem(),
    'event loop': loopRuns(clock, probeLoop()),
  });
  const handler = createRouter(answering.find);
  return {
    handler,
    adminHandler: createRouter(adminRoutes(shared.metrics, readiness, inbox, keys)),
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
      await inbox.close();
    },
  };
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

/** A worker has no secrets, and answers nothing but the probe. */
async function startAnswering(
  { flows, handlers }: AppDefinition,
  { secrets }: Settings,
  inbox: Inbox,
  { startDecryption = DecryptPool.start }: HostParts,
  shared: Shared,
): Promise<Answering> {
  const routes = new Map<string, Route>([['/healthz', LIVENESS]]);
  const find = (path: string) => routes.get(path);
  if (!secrets) return { find, keys: undefined, problem: () => undefined, close: async () => {} };

  const { workerNiceness: niceness, decryptBatch: maxBatch, maxQueueWaitMs: maxWaitMs } = shared;
  const pool = await startDecryption({ ...shared, niceness, maxBatch, maxWaitMs, keys: secrets.keys });
  const replies = new ReplyMemory(shared.clock);
  shared.metrics.replyMemoryBytes.collectFrom(() => replies.replyBytes);
  // A request that comes again is another one: the jobs its handler defers have ids of their own.
  const newDefer = (traceparent?: string) => createDefer(inbox, handlers, randomUUID(), traceparent);
  const deps: FlowDeps = { ...shared, ...secrets, pool, replies, newDefer };
  for (const flow of flows.values()) {
    routes.set(`/flows/${flow.name}`, { methods: ['POST'], handler: createFlowEndpoint(flow, deps) });
  }
  const webhook = createWebhookEndpoint({ ...shared, ...secrets, inbox, handlers });
  routes.set('/webhook', { methods: ['GET', 'POST'], handler: webhook });
  const keys = watchKeys(pool, secrets, shared);
  const close = async () => {
    await keys?.close();
    await pool.close();
  };
  return { find, keys, problem: () => pool.problem, close };
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

function startWorkers({ handlers }: AppDefinition, { graph }: Settings, inbox: Inbox, shared: Shared): InboxWorkers {
  const graphFor = createGraph(graph, shared.clock);
  const deps = { inbox, handlers, graphFor, random: Math.random, leaseMs: DEFAULT_LEASE_MS };
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
