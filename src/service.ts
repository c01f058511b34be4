/** Builds each part in order, hands it what it needs, and ends them in reverse. The only file that wires. */
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { type Config, loadSettings, type SettingOverrides, type Settings, withOverrides } from './config/settings.ts';
import { DecryptPool, type DecryptPoolOptions } from './crypto/decrypt-pool.ts';
import type { KeyUnwrapper } from './crypto/open-envelope.ts';
import { createFlowEndpoint, type FlowDeps } from './flows/endpoint.ts';
import type { FlowDefinition } from './flows/flow.ts';
import { ReplyMemory } from './flows/reply-memory.ts';
import { createHttpServer } from './http/create-server.ts';
import { answerFetch } from './http/fetch.ts';
import { createNodeServer } from './http/node.ts';
import { createRouter, type Route } from './http/router.ts';
import type { HttpHandler, HttpServerName } from './http/server.ts';
import { createLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';

/** How long past the Flow deadline an exchange may last: the fallback's time and some. Still inside Meta's 10 s. */
const EXCHANGE_MARGIN_MS = 1_000;
const CLOSE_GRACE_MS = 10_000;

/** What the service reads of an app. */
export interface AppDefinition {
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly settings: SettingOverrides;
}

export interface ServiceParts {
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Decrypts in place of the worker pool: how a bench compares other ways to do it. */
  readonly startDecryption?: (options: DecryptPoolOptions) => Promise<KeyUnwrapper>;
}

/** The answering half, without a listener. */
export interface FlowHost {
  readonly handler: HttpHandler;
  readonly metrics: Metrics;
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** A running server. */
export interface Service {
  /** `http://host:port`, with the port in use. */
  readonly url: string;
  readonly adminUrl: string;
  readonly httpServer: HttpServerName;
  /** Answers what is in flight, then closes everything. */
  close(): Promise<void>;
}

/** Rejects with `SETTINGS_INVALID` or `POOL_START_FAILED`. */
export async function openHost(app: AppDefinition, parts: ServiceParts = {}): Promise<FlowHost> {
  const { config, secrets } = parts.settings ?? loadSettings(withOverrides(app.settings));
  const { clock = systemClock, log = createLog(config.logLevel), startDecryption = DecryptPool.start } = parts;
  const metrics = createMetrics();
  const replies = new ReplyMemory(clock);
  metrics.replyMemoryBytes.collectFrom(() => replies.replyBytes);
  const { flowDeadlineMs, logErrorMessages } = config;
  const pool = await startDecryption({ ...poolSettings(config), keys: secrets.keys, clock, log, metrics });
  const deps = { clock, log, metrics, replies, pool, appSecrets: secrets.appSecrets, flowDeadlineMs, logErrorMessages };
  const handler = createRouter(publicRoutes(app, deps));
  return {
    handler,
    metrics,
    fetch: (request) => answerFetch(handler, request, { clock, log }),
    close: () => pool.close(),
  };
}

/** Rejects as `openHost` does, or with `LISTEN_FAILED`. */
export async function startService(app: AppDefinition, parts: ServiceParts = {}): Promise<Service> {
  const settings = parts.settings ?? loadSettings(withOverrides(app.settings));
  const { config, secrets } = settings;
  const { clock = systemClock, log = createLog(config.logLevel) } = parts;
  const host = await openHost(app, { ...parts, settings, clock, log });
  const exchange = { clock, log, exchangeTimeoutMs: config.flowDeadlineMs + EXCHANGE_MARGIN_MS };
  const server = createHttpServer(config.httpServer, { ...exchange, handler: host.handler });
  const admin = createNodeServer({ ...exchange, handler: createRouter(adminRoutes(host.metrics)) });
  host.metrics.httpServer(server.name, config.httpServer !== 'node' && server.name === 'node');

  const close = async () => {
    await server.close(CLOSE_GRACE_MS);
    await admin.close(CLOSE_GRACE_MS);
    await host.close();
  };
  try {
    const adminPort = await admin.listen({ host: config.adminHost, port: config.adminPort });
    const port = await server.listen({ host: config.host, port: config.port });
    const fingerprints = secrets.keys.map(({ fingerprint }) => fingerprint);
    log.info(
      {
        server: server.name,
        port,
        adminPort,
        workers: config.workers,
        flows: [...app.flows.keys()],
        keys: fingerprints,
      },
      'flowgate is listening',
    );
    return {
      url: urlOf(config.host, port),
      adminUrl: urlOf(config.adminHost, adminPort),
      httpServer: server.name,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function poolSettings({
  workers,
  workerNiceness: niceness,
  decryptBatch: maxBatch,
  maxQueueWaitMs: maxWaitMs,
}: Config) {
  return { workers, niceness, maxBatch, maxWaitMs };
}

function publicRoutes({ flows }: AppDefinition, deps: FlowDeps): (path: string) => Route | undefined {
  const routes = new Map<string, Route>([
    ['/healthz', { methods: ['GET', 'HEAD'], handler: () => ({ status: 200, headers: PLAIN, body: 'ok' }) }],
  ]);
  for (const flow of flows.values()) {
    routes.set(`/flows/${flow.name}`, { methods: ['POST'], handler: createFlowEndpoint(flow, deps) });
  }
  return (path) => routes.get(path);
}

function adminRoutes(metrics: Metrics): (path: string) => Route | undefined {
  const handler: HttpHandler = async () => ({
    status: 200,
    headers: { 'Content-Type': metrics.contentType },
    body: await metrics.render(),
  });
  return (path) => (path === '/metrics' ? { methods: ['GET'], handler } : undefined);
}

const PLAIN = { 'Content-Type': 'text/plain' };

function urlOf(host: string, port: number): string {
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
}
