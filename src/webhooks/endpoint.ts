/**
 * `/webhook` and `/webhook/:tenant`: Meta's handshake, and its deliveries, acknowledged when they are stored and not before.
 *
 * 200 means that every event of the delivery is durable and will be handled at least once. Anything else makes Meta
 * deliver again, for up to seven days. Nothing here waits for a handler.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { codeOf, FlowgateError, statusOf } from '../errors.ts';
import { COME_BACK, declaredLength } from '../http/exchange.ts';
import type { RefusalLog } from '../http/refusal-log.ts';
import type { HttpReply, HttpRequest } from '../http/server.ts';
import { type AppSecrets, verifyWebhookSignature } from '../http/signature.ts';
import { isObject } from '../json.ts';
import type { Metrics } from '../metrics/registry.ts';
import { refusalsByTenant } from '../tenants/refusals.ts';
import { alwaysOf, receive, type Tenant, type TenantHandler, type TenantSource } from '../tenants/tenant.ts';
import type { DeliveryTrace, Tracing } from '../tracing/tracing.ts';
import { itemsIn, type StoredEvent } from './delivery.ts';
import type { FlowEventType } from './event-types.ts';
import type { FlowAlertEvent, WebhookEvent } from './events.ts';
import type { Handlers } from './handlers.ts';
import type { Inbox, NewItem } from './inbox.ts';
import { readEvent, timestampOf } from './read-event.ts';

/** Meta sends up to 3 MB. */
export const MAX_DELIVERY_BYTES = 3 * 1024 * 1024;
/** Bodies being received and stored at one time. Beyond it, more would only make all of them slower. */
const MAX_BYTES_IN_FLIGHT = 96 * 1024 * 1024;
const COMPLETION = 'message.interactive.nfm_reply';
const SIGNATURE_HEADER = 'x-hub-signature-256';
const UNKNOWN_TENANT = 'tenant_unknown';
const MAX_CHALLENGE_CHARS = 1_000;

export interface WebhookDeps {
  readonly appSecrets: AppSecrets;
  readonly verifyToken: string;
  readonly inbox: Inbox;
  readonly handlers: Handlers;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
}

/** One delivery on its way. */
interface Arrival {
  readonly request: HttpRequest;
  readonly source: TenantSource;
  /** Once found. */
  tenant: Tenant | undefined;
}

type Refusals = (tenant: Tenant | undefined) => RefusalLog;

/** @param deps.appSecrets and `verifyToken` are those of `/webhook`; a tenant's own path takes the tenant's. */
export function createWebhookEndpoint(deps: WebhookDeps): TenantHandler {
  const { appSecrets, verifyToken } = deps;
  const own = alwaysOf({ name: undefined, appSecrets, keys: undefined, verifyToken });
  const refusals = refusalsByTenant('/webhook', deps);
  const intake = createIntake(refusals, deps);
  return (request, source = own) =>
    request.method === 'POST'
      ? intake({ request, source, tenant: undefined })
      : answerHandshake(request, source, refusals);
}

/** Meta asks once, when the webhook is subscribed, and unsigned: the token is the proof, and the challenge the answer. */
async function answerHandshake(request: HttpRequest, source: TenantSource, refusals: Refusals): Promise<HttpReply> {
  const tenant = await source.find();
  const parameters = new URLSearchParams(request.query);
  const isOurs = isSame(parameters.get('hub.verify_token') ?? '', tenant.verifyToken);
  const challenge = parameters.get('hub.challenge') ?? '';
  if (parameters.get('hub.mode') !== 'subscribe' || !isOurs || challenge.length > MAX_CHALLENGE_CHARS) {
    const why = 'not a handshake with the verify token of this server';
    refusals(tenant).note('VERIFY_TOKEN_INVALID', why, request);
    throw new FlowgateError('VERIFY_TOKEN_INVALID', why);
  }
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain', 'X-Content-Type-Options': 'nosniff' },
    body: challenge,
  };
}

function createIntake(refusals: Refusals, deps: WebhookDeps): (arrival: Arrival) => Promise<HttpReply> {
  let bytesInFlight = 0;
  return async (arrival) => {
    const declared = declaredLength(arrival.request.header('content-length')) ?? MAX_DELIVERY_BYTES;
    const bytes = Math.min(declared, MAX_DELIVERY_BYTES); // more is refused before it is read
    if (bytesInFlight + bytes > MAX_BYTES_IN_FLIGHT) {
      noteOutcome('too_much_in_flight', arrival, deps);
      return COME_BACK;
    }
    bytesInFlight += bytes;
    try {
      return await acknowledge(arrival, refusals, deps);
    } finally {
      bytesInFlight -= bytes;
    }
  };
}

/** Wraps the path with what every delivery leaves behind: one observation, and where it is refused a line now and then. */
async function acknowledge(arrival: Arrival, refusals: Refusals, deps: WebhookDeps): Promise<HttpReply> {
  let outcome = 'ok';
  let status = 200;
  const { request } = arrival;
  const trace = deps.tracing?.delivery(request);
  try {
    await (trace ? trace.run(() => takeIn(arrival, deps, trace)) : takeIn(arrival, deps));
    return { status };
  } catch (error) {
    const code = codeOf(error);
    outcome = code.toLowerCase();
    status = statusOf(error);
    arrival.tenant ??= arrival.source.held(); // what failed before its body was there
    refusals(arrival.tenant).note(code, (error as Error).message, request);
    throw error;
  } finally {
    noteOutcome(outcome, arrival, deps);
    trace?.end(outcome, status);
  }
}

function noteOutcome(outcome: string, { request }: Arrival, { metrics, clock }: WebhookDeps): void {
  if (outcome === UNKNOWN_TENANT) return; // like an unknown path: anybody's mistake, and nobody's delivery
  metrics.webhook(outcome, clock.nowMs() - request.receivedAtMs);
}

async function takeIn(arrival: Arrival, deps: WebhookDeps, trace?: DeliveryTrace): Promise<void> {
  const { inbox } = deps;
  const { request } = arrival;
  const { tenant, bytes } = await receive(request, MAX_DELIVERY_BYTES, arrival.source); // 404: whose? 413: over 3 MiB
  arrival.tenant = tenant;
  verifyWebhookSignature(bytes, request.header(SIGNATURE_HEADER), tenant.appSecrets); // 401: not theirs
  const items = ofTenant(itemsIn(bytes, deps.clock.epochMs(), trace?.traceparent), tenant);
  const isNew = await (trace ? trace.append(inbox.engine, () => inbox.append(items)) : inbox.append(items)); // 503: not stored
  trace?.stored(items.length, isNew);
  for (const [i, item] of items.entries()) note(item, isNew[i] === true, deps);
}

/** The ids of a tenant's events are its own: what one business signs cannot pass for an event of another's. */
function ofTenant(items: readonly NewItem[], { name: tenant }: Tenant): readonly NewItem[] {
  if (tenant === undefined) return items;
  return items.map((item) => ({
    ...item,
    id: `evt_${hash('sha256', `${tenant}:${item.id}`, 'hex').slice(0, 32)}`,
    payload: { ...item.payload, tenant },
  }));
}

/** Counts an event, and how long it was on its way from Meta: a slow provider in between shows there. */
function note({ id, type, payload }: NewItem, isNew: boolean, { handlers, metrics }: WebhookDeps): void {
  metrics.webhookEvent(type, isNew ? 'stored' : 'duplicate');
  if (type.startsWith('flow.')) metrics.flowHealth(readEvent(id, type as FlowEventType, payload) as FlowAlertEvent);
  const { raw, receivedAtMs } = payload as StoredEvent;
  const sentAtMs = isObject(raw) ? timestampOf(raw) : undefined;
  if (!isNew || sentAtMs === undefined) return;
  const kind = type.startsWith('status.') ? 'status' : 'message';
  const flow = type === COMPLETION ? flowOf(readEvent(id, type, payload), handlers) : undefined;
  metrics.forwardingDelay(kind, flow ?? 'none', receivedAtMs - sentAtMs);
}

/** What an app's `matches` throws is for the attempt that meets it: the delivery is stored, and has to be acknowledged. */
function flowOf(event: WebhookEvent, handlers: Handlers): string | undefined {
  try {
    return handlers.flowOf(event);
  } catch {
    return undefined;
  }
}

function isSame(given: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
