/** The half of a host that answers requests: Flows, webhooks and the probe, with the decrypt pool and its keys. */
import { randomUUID } from 'node:crypto';
import type { Secrets, Settings } from './config/settings.ts';
import { watchFiles } from './config/watch-files.ts';
import { DecryptPool } from './crypto/decrypt-pool.ts';
import { KeyWatcher } from './crypto/key-watcher.ts';
import type { KeyUnwrapper } from './crypto/open-envelope.ts';
import { createFlowEndpoint, type FlowDeps } from './flows/endpoint.ts';
import { ViolationLog } from './flows/guard-reply.ts';
import { ReplyMemory } from './flows/reply-memory.ts';
import { tellOfFlows } from './flows/start-checks.ts';
import type { AppDefinition, HostParts, Kept, Shared } from './host-parts.ts';
import { findRoute, LIVENESS, type Route } from './http/router.ts';
import type { Tenancy } from './tenants/tenancy.ts';
import { createWebhookEndpoint } from './webhooks/endpoint.ts';
import type { Inbox } from './webhooks/inbox.ts';
import { createDefer, type DeferredBy } from './webhooks/jobs.ts';

export interface Answering {
  readonly find: (path: string) => Route | undefined;
  readonly keys: KeyWatcher | undefined;
  problem(): string | undefined;
  close(): Promise<void>;
}

/** A worker has no secrets, and answers nothing but the probe. */
export async function startAnswering(
  app: AppDefinition,
  { secrets, redisUrl }: Settings,
  { inbox, facilities, tenancy }: Kept,
  { startDecryption = DecryptPool.start, onViolations, onHandlerFailed }: HostParts,
  shared: Shared,
): Promise<Answering> {
  const routes = new Map<string, Route>([['/healthz', LIVENESS]]);
  const find = (path: string) => findRoute(routes, path);
  if (!secrets) return { find, keys: undefined, problem: () => undefined, close: async () => {} };

  const { clock, log, metrics } = shared;
  tellOfFlows(app.flows.values(), log);
  const { workerNiceness: niceness, decryptBatch: maxBatch, maxQueueWaitMs: maxWaitMs } = shared;
  const pool = await startDecryption({ ...shared, niceness, maxBatch, maxWaitMs, keys: secrets.keys });
  const shareReplies = await openSharedReplies(redisUrl, shared);
  const replies = new ReplyMemory(clock, {}, shareReplies);
  metrics.replyMemoryBytes.collectFrom(() => replies.replyBytes);
  // A request that comes again is another one: the jobs its handler defers have ids of their own.
  const newDefer = (by: DeferredBy) => createDefer(inbox, app.handlers, randomUUID(), by);
  const violationLog = new ViolationLog(shared);
  const told = { onViolations, onHandlerFailed };
  const deps = { ...shared, ...secrets, ...told, pool, replies, newDefer, facilities, violationLog };
  addRoutes(routes, app, tenancy, deps, inbox);
  const keys = watchKeys(pool, secrets, shared);
  const close = async () => {
    await keys?.close();
    await pool.close();
    await shareReplies?.close();
  };
  return { find, keys, problem: () => pool.problem, close };
}

function addRoutes(
  routes: Map<string, Route>,
  { flows, handlers }: AppDefinition,
  tenancy: Tenancy,
  deps: FlowDeps & Pick<Secrets, 'verifyToken'>,
  inbox: Inbox,
): void {
  for (const flow of flows.values()) {
    const handler = createFlowEndpoint(flow, deps, tenancy.ownerOf(flow));
    routes.set(`/flows/${flow.name}`, { methods: ['POST'], handler, forTenant: tenancy.under(handler, flow) });
  }
  const webhook = createWebhookEndpoint({
    ...deps,
    appSecrets: tenancy.webhookSecrets(deps.appSecrets),
    inbox,
    handlers,
  });
  routes.set('/webhook', { methods: ['GET', 'POST'], handler: webhook, forTenant: tenancy.under(webhook) });
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
export async function reportKeys(
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
