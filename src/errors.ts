/**
 * Every failure Flowgate names, and what the client sees for it.
 *
 * A code is stable: clients, alerts and log queries may rely on it. Add codes; never rename one.
 * `null` marks a failure that answers no request: it stops the start, or is recorded with the attempt that met it.
 * Source of 421, 427 and 432: Meta, "Flows error codes".
 */
export const STATUS_BY_CODE = {
  SIGNATURE_INVALID: 432, // the body was not signed with our app secret
  ENVELOPE_MALFORMED: 400, // not JSON, a field missing or not a string, or not base64
  DECRYPTION_FAILED: 421, // the client fetches our public key again and retries once
  POOL_SATURATED: 503, // the decrypt queue is full: shed at once rather than wait
  DEADLINE_EXPIRED: 503, // waited so long for decryption that no answer could be in time
  POOL_FAILED: 503, // a worker thread died, and so did the one that retried its jobs
  REPLY_FORGOTTEN: 503, // this body was answered before, and the answer is no longer kept
  PAYLOAD_MALFORMED: 500, // decrypted well, but not a JSON object, or not an action that Meta documents
  HANDLER_MISSING: 500, // no handler for this action and screen
  HANDLER_FAILED: 500, // the handler threw, and no fallback answered
  HANDLER_LATE: 500, // the handler passed its deadline, and no fallback answered
  BODY_TOO_LARGE: 413, // over the cap of the route; the connection is closed
  BODY_INCOMPLETE: 408, // the body did not arrive in time
  EXCHANGE_TIMEOUT: 503, // nothing answered in time: the last line of defence, and a defect
  PATH_UNKNOWN: 404,
  CLIENT_GONE: 503, // the client left before the answer: only a twin of its request could still see this
  INTERNAL: 500, // a defect in Flowgate
  WEBHOOK_SIGNATURE_INVALID: 401, // a webhook that was not signed with our app secret
  VERIFY_TOKEN_INVALID: 403, // a webhook handshake without our verify token
  INBOX_UNAVAILABLE: 503, // the inbox cannot be reached or written, or is too slow: Meta delivers again
  INBOX_FULL: 503, // too many events wait to be handled: Meta delivers again
  JOB_UNKNOWN: null, // an attempt: no handler for a job of this name
  INPUT_INVALID: null, // an attempt: the payload does not fit the handler's schema
  PROCESS_STOPPING: null, // an attempt: it was not done when the process had to end
  ATTEMPTS_EXHAUSTED: null, // an attempt: every attempt was begun, and the last one never ended
  EFFECT_UNCERTAIN: null, // an attempt: c.once began this effect before, and nobody knows whether it happened
  REPLY_INVALID: 500, // the answer does not fit the Flow JSON, and the reply guard is to stop such answers
  STATE_UNAVAILABLE: 500, // sessions, tokens or kept answers: their store cannot be reached, or is too slow
  SESSION_INVALID: 500, // the session does not fit its schema, or the request has no token of its own to keep one under
  SESSION_TOO_LARGE: 500, // a session holds at most 64 KiB as JSON
  SESSION_CONFLICT: 500, // the session changed under every try to update it
  MEDIA_INVALID: 500, // a picked file is not what was described: hash, MAC, size, or no picker's value at all
  MEDIA_UNAVAILABLE: 500, // a picked file could not be downloaded: refused host, timeout, status
  TENANT_UNKNOWN: 404, // no tenant of this name
  TENANT_UNAVAILABLE: 503, // the credentials of a tenant could not be loaded, or cannot be used
  FLOW_JSON_INVALID: null, // at start, or by `flowgate flow`: the Flow JSON is broken, or the handlers do not fit it
  GRAPH_FAILED: null, // an attempt: the Graph API refused a call, or could not be reached
  INBOX_LOCKED: null, // at start: another process owns the inbox or the state file
  INBOX_OPEN_FAILED: null, // at start: one of these files is not writable, not ours, or of a newer version
  SETTINGS_INVALID: null, // at start: one message lists every mistake
  CERTIFICATE_INVALID: null, // at start, or of a renewed one: Meta would refuse the certificate, or no server can use it
  LISTEN_FAILED: null, // at start: the port is taken or not allowed
  POOL_START_FAILED: null, // at start: the decrypt workers did not come up
} as const;

export type ErrorCode = keyof typeof STATUS_BY_CODE;

/** An expected failure. `message` tells the fix and never holds a secret, a body, a token or a phone number. */
export class FlowgateError extends Error {
  override readonly name = 'FlowgateError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The status a client sees for `error`: its code's, or 500 for whatever is not a FlowgateError. */
export function statusOf(error: unknown): number {
  return (error instanceof FlowgateError ? STATUS_BY_CODE[error.code] : null) ?? 500;
}

/** The code to log and count `error` by. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof FlowgateError ? error.code : 'INTERNAL';
}

/** Where an error came from, without its message: a message may quote the user's data, and may look like a stack. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  try {
    const { name, message, stack = '' } = error;
    const at = stack.indexOf(message);
    const frames = at === -1 ? '' : stack.slice(at + message.length);
    return frames.startsWith('\n    at ') ? name + frames : name;
  } catch {
    return 'Error'; // an app's own class may have anything in place of these texts
  }
}
