/**
 * `POST /flows/:name`, answered while the user waits: the whole path, a line a step.
 *
 * The order is the protection. Each step costs more than the one before it: nothing unsigned reaches RSA, nothing
 * undecrypted reaches a handler, and what a handler answers is sealed exactly once.
 */
import type { Logger } from 'pino';
import { sealReply } from '../crypto/flow-cipher.ts';
import { type KeyUnwrapper, openEnvelope, type SealedEnvelope, type UnwrapRequest } from '../crypto/open-envelope.ts';
import { codeOf, type ErrorCode } from '../errors.ts';
import { COME_BACK } from '../http/exchange.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../http/server.ts';
import { type AppSecrets, type VerifiedBody, verifySignature } from '../http/signature.ts';
import type { Metrics } from '../metrics/registry.ts';
import { type DispatchDeps, dispatch } from './dispatch.ts';
import type { FlowDefinition } from './flow.ts';
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
const TEXT_PLAIN = { 'Content-Type': 'text/plain' };

export interface FlowDeps extends DispatchDeps {
  readonly appSecrets: AppSecrets;
  readonly pool: KeyUnwrapper;
  readonly replies: ReplyMemory;
  readonly metrics: Metrics;
  readonly flowDeadlineMs: number;
  readonly log: Logger;
}

/** One request on its way. */
interface Arrival {
  readonly flow: FlowDefinition;
  readonly request: HttpRequest;
  /** Monotonic ms: when the handler is told to stop and the fallback answers. */
  readonly deadlineMs: number;
  /** For the metrics, once known; `none` for what was never decrypted, and for a body that was answered before. */
  action: string;
}

/**
 * Refuses what comes beyond capacity, before its body is read: what a refusal costs is taken from those who could be
 * served, so it makes no promise and no error.
 */
export function createFlowEndpoint(flow: FlowDefinition, deps: FlowDeps): HttpHandler {
  return (request) => {
    const deadlineMs = request.receivedAtMs + deps.flowDeadlineMs;
    const arrival: Arrival = { flow, request, deadlineMs, action: 'none' };
    if (!deps.pool.isSaturated) return answerAndNote(arrival, deps);
    deps.metrics.shed('queue_full');
    noteOutcome('pool_saturated', arrival, deps);
    return COME_BACK;
  };
}

/** Wraps the path with what every request leaves behind: one observation, and a log line where something is wrong. */
async function answerAndNote(arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  let outcome = 'ok';
  try {
    const reply = await answerFlow(arrival, deps);
    if (reply.status === 427) outcome = 'expired';
    return reply;
  } catch (error) {
    const code = codeOf(error);
    outcome = code.toLowerCase();
    if (SIGNED_BUT_WRONG.has(code)) deps.log.warn({ code, flow: arrival.flow.name }, (error as Error).message);
    throw error;
  } finally {
    noteOutcome(outcome, arrival, deps);
  }
}

function noteOutcome(outcome: string, { flow, request, action }: Arrival, { metrics, clock }: FlowDeps): void {
  metrics.flowRequest(flow.name, action, outcome, clock.nowMs() - request.receivedAtMs);
}

async function answerFlow(arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  const bytes = await arrival.request.body(MAX_BODY_BYTES); // 413: over 1 MiB
  const body = verifySignature(bytes, arrival.request.header(SIGNATURE_HEADER), deps.appSecrets); // 432: not ours
  return deps.replies.once(body.fingerprint, () => answerOnce(body, arrival, deps)); // 503: answered, answer gone
}

async function answerOnce(body: VerifiedBody, arrival: Arrival, deps: FlowDeps): Promise<HttpReply> {
  const envelope = parseEnvelope(body); // 400: not an envelope
  const aesKey = await deps.pool.unwrap(unwrapRequest(envelope, body, arrival)); // 503: waited too long
  const opened = openEnvelope(envelope, aesKey); // 421: no key of ours opens it
  const flowRequest = parseFlowRequest(opened.text); // 500: not a Flow request
  const { status, text } = await answerRequest(flowRequest, arrival, deps); // 200; 427: dead token; 500: no answer
  deps.metrics.response(arrival.flow.name, Buffer.byteLength(text));
  return { status, headers: TEXT_PLAIN, body: sealReply(text, opened) };
}

function unwrapRequest({ wrappedKey }: SealedEnvelope, body: VerifiedBody, arrival: Arrival): UnwrapRequest {
  const { deadlineMs, request } = arrival;
  return { wrappedKey, deadlineMs, bytes: body.bytes.length, isCancelled: () => request.aborted };
}

/** Pings and error notifications are answered here, before a token or a handler is asked. */
async function answerRequest(flowRequest: FlowRequest, arrival: Arrival, deps: FlowDeps): Promise<RenderedReply> {
  const { flow, request, deadlineMs } = arrival;
  const notification = errorNotificationIn(flowRequest);
  arrival.action = notification ? 'error' : actionLabel(flowRequest.action);
  if (arrival.action === 'ping') return { status: 200, text: PING_REPLY };
  if (notification) {
    noteClientError(notification, flowRequest, flow, deps);
    return { status: 200, text: ERROR_NOTIFICATION_REPLY };
  }
  return dispatch(flow, { request: flowRequest, deadlineMs, onAbort: (listener) => request.onAbort(listener) }, deps);
}

function noteClientError(
  { key }: ErrorNotification,
  { screen }: FlowRequest,
  flow: FlowDefinition,
  { log, metrics }: FlowDeps,
): void {
  metrics.clientError(flow.name, key);
  log.warn({ code: 'CLIENT_ERROR', flow: flow.name, screen, key }, 'a client could not use an answer');
}

function actionLabel(action: string): string {
  return isFlowAction(action) || action === 'ping' ? action : 'other';
}

/** Worth a line each: their sender holds the app secret. Forgeries and sheds are only counted, so they cannot flood the log. */
const SIGNED_BUT_WRONG: ReadonlySet<ErrorCode> = new Set([
  'ENVELOPE_MALFORMED',
  'DECRYPTION_FAILED',
  'PAYLOAD_MALFORMED',
  'REPLY_FORGOTTEN',
  'POOL_FAILED',
]);
