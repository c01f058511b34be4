/**
 * `POST /flows/:name` and `/flows/:name/:tenant`, answered while the user waits: the whole path, a line a step.
 *
 * The order is the protection. Each step costs more than the one before it: nothing unsigned reaches RSA, nothing
 * undecrypted reaches a handler, and what a handler answers is sealed exactly once.
 */
import type { Logger } from 'pino';
import { sealReply } from '../crypto/flow-cipher.ts';
import {
  type KeyUnwrapper,
  type Opened,
  openEnvelope,
  type SealedEnvelope,
  type UnwrapRequest,
} from '../crypto/open-envelope.ts';
import { codeOf, type ErrorCode, statusOf } from '../errors.ts';
import { COME_BACK } from '../http/exchange.ts';
import type { RefusalLog } from '../http/refusal-log.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { HttpReply, HttpRequest } from '../http/server.ts';
import { type AppSecrets, type VerifiedBody, verifySignature } from '../http/signature.ts';
import type { Metrics } from '../metrics/registry.ts';
import { refusalsByTenant } from '../tenants/refusals.ts';
import { alwaysOf, receive, type Tenant, type TenantHandler, type TenantSource } from '../tenants/tenant.ts';
import type { FlowTrace, Tracing } from '../tracing/tracing.ts';
import { type DispatchDeps, dispatch } from './dispatch.ts';
import type { FlowDefinition } from './flow-definition.ts';
import {
  ERROR_NOTIFICATION_REPLY,
  type ErrorNotification,
  errorNotificationIn,
  type FlowRequest,
  isFlowAction,
  PING_REPLY,
  parseEnvelope,
  parseFlowRequest,
} from './protocol.ts';
import type { RenderedReply } from './reply.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** Requests are small, media come as links; Meta caps a whole exchange at 1 MB. */
export const MAX_BODY_BYTES = 1024 * 1024;
const SIGNATURE_HEADER = 'x-hub-signature-256';
const UNKNOWN_TENANT = 'tenant_unknown';
const TEXT_PLAIN = { 'Content-Type': 'text/plain' };

export interface FlowDeps extends DispatchDeps {
  readonly appSecrets: AppSecrets;
  readonly pool: KeyUnwrapper;
  readonly replies: ReplyMemory;
  readonly metrics: Metrics;
  readonly flowDeadlineMs: number;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
}

type Refusals = (tenant: Tenant | undefined) => RefusalLog;

/** One request on its way. */
interface Arrival {
  readonly flow: FlowDefinition;
  readonly request: HttpRequest;
  /** Monotonic ms: when the handler is told to stop and the fallback answers. */
  readonly deadlineMs: number;
  readonly source: TenantSource;
  /** Once found. */
  tenant: Tenant | undefined;
  /** For the metrics, once known; `none` for what was never decrypted, and for a body that was answered before. */
  action: string;
  /** Of a request that is traced and was let in. */
  trace: FlowTrace | undefined;
}

/**
 * Refuses what comes beyond capacity, before its body is read: what a refusal costs is taken from those who could be
 * served, so it makes no promise and no error.
 *
 * @param owner whose the Flow is, where the path names no tenant: the settings' own business, or that of the Flow.
 */
export function createFlowEndpoint(
  flow: FlowDefinition,
  deps: FlowDeps,
  owner: Tenant = { name: undefined, appSecrets: deps.appSecrets, keys: undefined, verifyToken: undefined },
): TenantHandler {
  const refusals = refusalsByTenant(`/flows/${flow.name}`, deps);
  const own = alwaysOf(owner);
  return (request, source = own) => {
    const deadlineMs = request.receivedAtMs + deps.flowDeadlineMs;
    const arrival: Arrival = { flow, request, deadlineMs, source, tenant: undefined, action: 'none', trace: undefined };
    if (!deps.pool.isSaturated) return answerAndNote(arrival, refusals, deps);
    arrival.tenant = source.held();
    deps.metrics.shed('queue_full');
    noteOutcome('pool_saturated', arrival, deps);
    const why = 'requests are refused: they come faster than they can be decrypted';
    refusals(undefined).note('POOL_SATURATED', why, request);
    return COME_BACK;
  };
}

/** Wraps the path with what every request leaves behind: one observation, and a log line where something is wrong. */
async function answerAndNote(arrival: Arrival, refusals: Refusals, deps: FlowDeps): Promise<HttpReply> {
  let outcome = 'ok';
  let status = 200;
  if (deps.tracing) arrival.trace = deps.tracing.flowRequest(arrival.flow.name, arrival.request);
  try {
    const reply = await answerTraced(arrival, deps);
    ({ status } = reply);
    if (status === 427) outcome = 'expired';
    return reply;
  } catch (error) {
    const code = codeOf(error);
    outcome = code.toLowerCase();
    status = statusOf(error);
    arrival.tenant ??= arrival.source.held(); // what failed before its body was there
    noteFailure(code, error as Error, arrival, refusals, deps);
    throw error;
  } finally {
    noteOutcome(outcome, arrival, deps);
    arrival.trace?.end(arrival.action, outcome, status);
  }
}

function answerTraced(arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  return arrival.trace ? arrival.trace.run(() => answerFlow(arrival, deps)) : answerFlow(arrival, deps);
}

function noteFailure(
  code: ErrorCode,
  { message }: Error,
  { flow, request, tenant }: Arrival,
  refusals: Refusals,
  { log }: FlowDeps,
): void {
  if (SIGNED_BUT_WRONG.has(code)) {
    log.warn({ code, flow: flow.name, tenant: tenant?.name, requestId: requestIdOf(request) }, message);
  } else {
    refusals(tenant).note(code, message, request);
  }
}

function noteOutcome(outcome: string, { flow, request, action, tenant }: Arrival, { metrics, clock }: FlowDeps): void {
  if (outcome === UNKNOWN_TENANT) return; // like an unknown path: anybody's mistake, and nobody's request
  metrics.flowRequest(flow.name, action, outcome, clock.nowMs() - request.receivedAtMs, tenant?.name);
}

async function answerFlow(arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  const { tenant, bytes } = await receive(arrival.request, MAX_BODY_BYTES, arrival.source); // 404: whose? 413: over 1 MiB
  arrival.tenant = tenant;
  const body = verifySignature(bytes, arrival.request.header(SIGNATURE_HEADER), tenant.appSecrets); // 432: not theirs
  return deps.replies.once(body.fingerprint, () => answerOnce(body, tenant, arrival, deps)); // 503: answered, answer gone
}

async function answerOnce(body: VerifiedBody, tenant: Tenant, arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  const envelope = parseEnvelope(body); // 400: not an envelope
  const aesKey = await deps.pool.unwrap(unwrapRequest(envelope, body, tenant, arrival)); // 503: waited too long
  const opened = openEnvelope(envelope, aesKey); // 421: no key of theirs opens it
  const flowRequest = parseFlowRequest(opened.text); // 500: not a Flow request
  const { status, text } = await answerRequest(flowRequest, tenant, arrival, deps); // 200; 427: dead token; 500
  deps.metrics.response(arrival.flow.name, Buffer.byteLength(text));
  return { status, headers: TEXT_PLAIN, body: seal(text, opened, arrival) };
}

function seal(text: string, opened: Opened, { trace }: Arrival): string {
  return trace ? trace.seal(() => sealReply(text, opened)) : sealReply(text, opened);
}

function unwrapRequest(
  { wrappedKey }: SealedEnvelope,
  body: VerifiedBody,
  { keys }: Tenant,
  { deadlineMs, request, trace }: Arrival,
): UnwrapRequest {
  return { wrappedKey, keys, deadlineMs, bytes: body.bytes.length, isCancelled: () => request.aborted, trace };
}

/** Pings and error notifications are answered here, before a token or a handler is asked. */
async function answerRequest(
  flowRequest: FlowRequest,
  tenant: Tenant,
  arrival: Arrival,
  deps: FlowDeps,
): Promise<RenderedReply> {
  const { flow, request, deadlineMs, trace } = arrival;
  const notification = errorNotificationIn(flowRequest);
  arrival.action = notification ? 'error' : actionLabel(flowRequest.action);
  if (arrival.action === 'ping') return { status: 200, text: PING_REPLY };
  if (notification) {
    noteClientError(notification, flowRequest, arrival, deps);
    return { status: 200, text: ERROR_NOTIFICATION_REPLY };
  }
  const onAbort = (listener: () => void) => request.onAbort(listener);
  return dispatch(flow, { request: flowRequest, tenant, source: request, deadlineMs, onAbort, trace }, deps);
}

function noteClientError(
  { key }: ErrorNotification,
  { screen }: FlowRequest,
  { flow, request, tenant }: Arrival,
  { log, metrics }: FlowDeps,
): void {
  metrics.clientError(flow.name, key);
  const where = { flow: flow.name, tenant: tenant?.name, screen, key, requestId: requestIdOf(request) };
  log.warn({ code: 'CLIENT_ERROR', ...where }, 'a client could not use an answer');
}

function actionLabel(action: string): string {
  return isFlowAction(action) || action === 'ping' ? action : 'other';
}

/** Worth a line each: their sender holds the app secret. Forgeries and sheds could flood the log: one a minute tells of them. */
const SIGNED_BUT_WRONG: ReadonlySet<ErrorCode> = new Set([
  'ENVELOPE_MALFORMED',
  'DECRYPTION_FAILED',
  'PAYLOAD_MALFORMED',
  'REPLY_FORGOTTEN',
  'POOL_FAILED',
]);
