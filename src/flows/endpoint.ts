/**
 * `POST /flows/:name`, answered while the user waits: the whole path, a line a step.
 *
 * The order is the protection. Each step costs more than the one before it: nothing unsigned reaches RSA, nothing
 * undecrypted reaches a handler, and what a handler answers is sealed exactly once.
 */
import type { Logger } from 'pino';
import { sealReply } from '../crypto/flow-cipher.ts';
import { type KeyUnwrapper, openEnvelope } from '../crypto/open-envelope.ts';
import { codeOf, type ErrorCode, FlowgateError } from '../errors.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../http/server.ts';
import { type AppSecrets, verifySignature } from '../http/signature.ts';
import type { Metrics } from '../metrics/registry.ts';
import { type DispatchDeps, dispatch } from './dispatch.ts';
import type { FlowDefinition } from './flow.ts';
import {
  ERROR_NOTIFICATION_REPLY,
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

/** Wraps the path with what every request leaves behind: one observation, and a log line where something is wrong. */
export function createFlowEndpoint(flow: FlowDefinition, deps: FlowDeps): HttpHandler {
  return async (request) => {
    const seen: Seen = { action: 'none' };
    let outcome = 'ok';
    try {
      const reply = await answerFlow(flow, request, deps, seen);
      if (reply.status === 427) outcome = 'expired';
      return reply;
    } catch (error) {
      const code = codeOf(error);
      outcome = code.toLowerCase();
      if (SIGNED_BUT_WRONG.has(code)) deps.log.warn({ code, flow: flow.name }, (error as Error).message);
      throw error;
    } finally {
      deps.metrics.flowRequest(flow.name, seen.action, outcome, deps.clock.nowMs() - request.receivedAtMs);
    }
  };
}

async function answerFlow(flow: FlowDefinition, request: HttpRequest, deps: FlowDeps, seen: Seen): Promise<HttpReply> {
  refuseWhenSaturated(deps); // 503: no room; costs nothing yet
  const bytes = await request.body(MAX_BODY_BYTES); // 413: over 1 MiB
  const body = verifySignature(bytes, request.header(SIGNATURE_HEADER), deps.appSecrets); // 432: not signed with our secret
  const answerOnce = async () => {
    const envelope = parseEnvelope(body); // 400: not an envelope
    const waiting = { deadlineMs: deadlineOf(request, deps), bytes: bytes.length, isCancelled: () => request.aborted };
    const opened = await openEnvelope(envelope, waiting, deps.pool); // 503: shed; 421: none of our keys opens it
    const flowRequest = parseFlowRequest(opened.text); // 500: not a JSON object
    const { status, text } = await answerRequest(flow, flowRequest, request, deps, seen); // 200; 427: dead token; 500
    return { status, headers: TEXT_PLAIN, body: sealReply(text, opened) };
  };
  return deps.replies.once(body.fingerprint, answerOnce); // 503: answered before, and the answer is no longer kept
}

/** Before the body is read: beyond capacity most requests end here, and what they cost is taken from the others. */
function refuseWhenSaturated({ pool, metrics }: FlowDeps): void {
  if (!pool.isSaturated) return;
  metrics.shed('queue_full');
  throw new FlowgateError('POOL_SATURATED', 'the decrypt queue is full: add cores or processes');
}

/** Monotonic ms: when the handler is told to stop and the fallback answers. */
function deadlineOf(request: HttpRequest, { flowDeadlineMs }: FlowDeps): number {
  return request.receivedAtMs + flowDeadlineMs;
}

/** Pings and error notifications are answered here, before a token or a handler is asked. */
async function answerRequest(
  flow: FlowDefinition,
  flowRequest: FlowRequest,
  request: HttpRequest,
  deps: FlowDeps,
  seen: Seen,
): Promise<RenderedReply> {
  const notification = errorNotificationIn(flowRequest);
  seen.action = notification ? 'error' : actionLabel(flowRequest.action);
  if (seen.action === 'ping') return { status: 200, text: PING_REPLY };
  if (notification) {
    const { key } = notification;
    deps.metrics.clientError(flow.name, key);
    deps.log.warn(
      { code: 'CLIENT_ERROR', flow: flow.name, screen: flowRequest.screen, key },
      'a client could not use an answer',
    );
    return { status: 200, text: ERROR_NOTIFICATION_REPLY };
  }
  const deadlineMs = deadlineOf(request, deps);
  return dispatch(flow, { request: flowRequest, deadlineMs, onAbort: (listener) => request.onAbort(listener) }, deps);
}

/** Filled in on the way, for the metrics: a label that stays `none` was never decrypted, or repeats an answered body. */
interface Seen {
  action: string;
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
