/**
 * A failed call to the Graph API, told by its numbers alone.
 *
 * Meta's `message` and `details` may quote the recipient or what was sent, and so may an error of `fetch` or
 * `JSON.parse`: none of their text is kept, as message, cause or property. What a code means is told in our own words.
 * Source: Meta, "Handling Errors" of the Graph API and "Error codes" of the Cloud API.
 */
import { FlowgateError } from '../errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';

export interface GraphFailure {
  /** Of the HTTP reply; absent when none came. */
  readonly status?: number | undefined;
  /** Meta's own code: the one to decide by. */
  readonly graphCode?: number | undefined;
  readonly subcode?: number | undefined;
  /** What Meta's support asks for. */
  readonly fbtraceId?: string | undefined;
  /** The same call may succeed later. */
  readonly isTransient: boolean;
  /** The message may have been sent all the same, and sending it again may send it twice. */
  readonly isUncertain: boolean;
}

export class GraphError extends FlowgateError implements GraphFailure {
  readonly status: number | undefined;
  readonly graphCode: number | undefined;
  readonly subcode: number | undefined;
  readonly fbtraceId: string | undefined;
  readonly isTransient: boolean;
  readonly isUncertain: boolean;

  constructor(message: string, failure: GraphFailure) {
    super('GRAPH_FAILED', message);
    this.status = failure.status;
    this.graphCode = failure.graphCode;
    this.subcode = failure.subcode;
    this.fbtraceId = failure.fbtraceId;
    this.isTransient = failure.isTransient;
    this.isUncertain = failure.isUncertain;
  }
}

/** What a call was about. */
export interface GraphAction {
  /** As a failure tells it: "send the message". */
  readonly label: string;
  /** A user sees its effect. */
  readonly sends: boolean;
  /** What the reply is read for: "an id". */
  readonly wants: string;
}

/** Codes that Meta says to wait and try again for, whatever the status they come with: often 400. */
const TRANSIENT_CODES: ReadonlySet<number | undefined> = new Set([
  1, // unknown, perhaps downtime
  2, // downtime
  4, // too many calls by the app
  17, // too many calls by the user
  341, // too many calls, or downtime
  80007, // too many calls by the business account
  130429, // more messages a second than the number may send
  131000, // unknown
  131016, // overloaded, or down
  131056, // too many messages to this user
  131057, // the business account is in maintenance
  132069, // the Flow is throttled
  133004, // the server is not available
]);

const HINTS: ReadonlyMap<number | undefined, string> = new Map([
  [10, 'the access token has no permission for this'],
  [190, 'the access token is not valid or has expired'],
  [200, 'the access token has no permission for this'],
  [80007, 'the business account makes too many calls'],
  [130429, 'the number sends more messages a second than it may'],
  [131026, 'the message cannot be delivered to this user'],
  [131047, 'over 24 hours since the user wrote: only a template may be sent'],
  [131056, 'too many messages to this user: wait some seconds'],
  [131062, 'this cannot be sent to a business-scoped user id'],
  [132068, 'the Flow is blocked'],
  [132069, 'the Flow is throttled'],
]);

/** With code 100, of many meanings: what the call is about does not exist, or is not to be seen with this token. */
const UNKNOWN_OBJECT_SUBCODE = 33;

/** What Meta calls an error's kind, and what it and an operating system call a cause: short, and never a user's words. */
const TYPE = /^[A-Za-z]{1,40}$/;
const TRACE_ID = /^[\w+/-]{1,40}$/;
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** The connection was never made, so nothing was sent. */
const NOT_CONNECTED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** Meta, or something before it, answered with an error; `reply` is its body where that was JSON. */
export function refused(action: GraphAction, status: number, reply: JsonObject | undefined): GraphError {
  const error = isObject(reply?.['error']) ? reply['error'] : {};
  const graphCode = integer(error['code']);
  const subcode = integer(error['error_subcode']);
  const fbtraceId = matching(TRACE_ID, error['fbtrace_id']);
  const facts = [
    `HTTP ${status}`,
    graphCode !== undefined && `code ${graphCode}`,
    matching(TYPE, error['type']),
    hintOf(graphCode, subcode),
    fbtraceId && `trace ${fbtraceId}`,
  ];
  return new GraphError(`the Graph API refused to ${action.label}: ${facts.filter(Boolean).join(', ')}`, {
    status,
    graphCode,
    subcode,
    fbtraceId,
    isTransient: status === 429 || status >= 500 || TRANSIENT_CODES.has(graphCode) || error['is_transient'] === true,
    isUncertain: action.sends && status >= 500,
  });
}

function hintOf(graphCode: number | undefined, subcode: number | undefined): string | undefined {
  if (graphCode !== 100 || subcode !== UNKNOWN_OBJECT_SUBCODE) return HINTS.get(graphCode);
  return 'there is no number of this id, or the access token may not see it';
}

/** Accepted, by the status, in a reply without what it is read for: another try would rather send a message twice than help. */
export function unreadable(action: GraphAction, status: number): GraphError {
  const message = `the Graph API was asked to ${action.label} and answered HTTP ${status} without ${action.wants}`;
  return new GraphError(message, { status, isTransient: !action.sends, isUncertain: action.sends });
}

export function timedOut(action: GraphAction, timeoutMs: number): GraphError {
  const message = `the Graph API was asked to ${action.label} and did not answer in ${timeoutMs / 1_000} s`;
  return new GraphError(message, { isTransient: true, isUncertain: action.sends });
}

/** @param error what `fetch` rejected with. */
export function unreached(action: GraphAction, error: unknown): GraphError {
  const code = systemCode(error);
  const message = `the Graph API could not be reached to ${action.label}${code === undefined ? '' : `: ${code}`}`;
  const isUncertain = action.sends && (code === undefined || !NOT_CONNECTED.test(code));
  return new GraphError(message, { isTransient: true, isUncertain });
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
