/**
 * A failed call to the Graph API, told by its numbers alone.
 *
 * Meta's `message` and `details` may quote the recipient or what was sent, and so may an error of `fetch` or
 * `JSON.parse`: none of their text is kept, as message, cause or property. What a code means is told in our own words.
 * Source: Meta, "Handling Errors" of the Graph API and "Error codes" of the Cloud API.
 */
import { FlowgateError } from '../errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { againOf, hintOf } from './error-codes.ts';

/**
 * `refused`: Meta answered with an error. `unreadable`: it answered without what was asked for. `timeout`: it did not
 * answer in time. `unreached`: there was no connection, or it broke. `unsent`: the message did not get its turn here.
 */
export type GraphFailureKind = 'refused' | 'unreadable' | 'timeout' | 'unreached' | 'unsent';

export interface GraphFailure {
  /** `refused` by default. */
  readonly kind?: GraphFailureKind | undefined;
  /** Of the HTTP reply; absent when none came. */
  readonly status?: number | undefined;
  /** Meta's own code: the one to decide by. */
  readonly graphCode?: number | undefined;
  readonly subcode?: number | undefined;
  /** What Meta's support asks for. */
  readonly fbtraceId?: string | undefined;
  /** How long to wait at least, where Meta or the pace of this process tells. */
  readonly retryAfterMs?: number | undefined;
  /** The same call may succeed later. */
  readonly isTransient: boolean;
  /** The message may have been sent all the same, and sending it again may send it twice. */
  readonly isUncertain: boolean;
}

export class GraphError extends FlowgateError implements GraphFailure {
  readonly kind: GraphFailureKind;
  readonly status: number | undefined;
  readonly graphCode: number | undefined;
  readonly subcode: number | undefined;
  readonly fbtraceId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly isTransient: boolean;
  readonly isUncertain: boolean;

  constructor(message: string, failure: GraphFailure) {
    super('GRAPH_FAILED', message);
    this.kind = failure.kind ?? 'refused';
    this.status = failure.status;
    this.graphCode = failure.graphCode;
    this.subcode = failure.subcode;
    this.fbtraceId = failure.fbtraceId;
    this.retryAfterMs = failure.retryAfterMs;
    this.isTransient = failure.isTransient;
    this.isUncertain = failure.isUncertain;
  }
}

/** What a call was about. */
export interface GraphAction {
  /** As a failure tells it: "send the message". */
  readonly label: string;
  /** Twice does what once does: a lost answer leaves nothing uncertain. */
  readonly isRepeatable: boolean;
  /** What the reply is read for: "an id". */
  readonly wants: string;
  /** What it names by an id: "number". */
  readonly about: string;
}

/** What Meta calls an error's kind, and what it and an operating system call a cause: short, and never a user's words. */
const TYPE = /^[A-Za-z]{1,40}$/;
const TRACE_ID = /^[\w+/-]{1,40}$/;
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** The connection was never made, so nothing was sent. */
const NOT_CONNECTED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** As far as it could be read. */
export interface GraphAnswer {
  readonly status: number;
  /** The body, where that was JSON. */
  readonly reply: JsonObject | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Meta, or something before it, answered with an error. */
export function refused(action: GraphAction, { status, reply, retryAfterMs }: GraphAnswer): GraphError {
  const error = isObject(reply?.['error']) ? reply['error'] : {};
  const graphCode = integer(error['code']);
  const subcode = integer(error['error_subcode']);
  const fbtraceId = matching(TRACE_ID, error['fbtrace_id']);
  const facts = [
    `HTTP ${status}`,
    graphCode !== undefined && `code ${graphCode}`,
    matching(TYPE, error['type']),
    hintOf(graphCode, subcode, action.about),
    fbtraceId && `trace ${fbtraceId}`,
  ];
  return new GraphError(`the Graph API refused to ${action.label}: ${facts.filter(Boolean).join(', ')}`, {
    status,
    graphCode,
    subcode,
    fbtraceId,
    retryAfterMs,
    isTransient: status === 429 || status >= 500 || againOf(graphCode) !== undefined || error['is_transient'] === true,
    isUncertain: !action.isRepeatable && status >= 500,
  });
}

/** Accepted, by the status, in a reply without what it is read for: another try would rather send a message twice than help. */
export function unreadable(action: GraphAction, status: number): GraphError {
  const message = `the Graph API was asked to ${action.label} and answered HTTP ${status} without ${action.wants}`;
  const { isRepeatable } = action;
  return new GraphError(message, { kind: 'unreadable', status, isTransient: isRepeatable, isUncertain: !isRepeatable });
}

export function timedOut(action: GraphAction, timeoutMs: number): GraphError {
  const message = `the Graph API was asked to ${action.label} and did not answer in ${timeoutMs / 1_000} s`;
  return new GraphError(message, { kind: 'timeout', isTransient: true, isUncertain: !action.isRepeatable });
}

/** @param error what `fetch` rejected with. */
export function unreached(action: GraphAction, error: unknown): GraphError {
  const code = systemCode(error);
  const message = `the Graph API could not be reached to ${action.label}${code === undefined ? '' : `: ${code}`}`;
  const isUncertain = !action.isRepeatable && (code === undefined || !NOT_CONNECTED.test(code));
  return new GraphError(message, { kind: 'unreached', isTransient: true, isUncertain });
}

/** Given up before anything left this process. @param why it had to wait. */
export function unsent(why: string, retryAfterMs?: number): GraphError {
  const message = `the message was not sent: ${why}`;
  return new GraphError(message, { kind: 'unsent', retryAfterMs, isTransient: true, isUncertain: false });
}

/** `fetch` wraps the error that tells. */
function systemCode(error: unknown): string | undefined {
  const source = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return source instanceof Error && 'code' in source ? matching(SYSTEM_CODE, source.code) : undefined;
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

function integer(value: JsonValue | undefined): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
