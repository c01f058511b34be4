/** One call to the Graph API: a time limit, a cap on the reply, and every way to fail as a GraphError. No retry. */
import type { Clock } from '../clock.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { GraphEndpoint } from './endpoint.ts';
import { type GraphAction, type GraphAnswer, refused, timedOut, unreached, unreadable } from './graph-error.ts';

export { DEFAULT_GRAPH_URL } from './endpoint.ts';

/** Sending and uploading are one call each. */
export const CALL_TIMEOUT_MS = 10_000;
export const MAX_REPLY_BYTES = 1024 * 1024;
/** Of what a `Retry-After` may ask. */
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;
const JSON_TYPE = { 'Content-Type': 'application/json' };

export interface GraphCall<T> {
  readonly action: GraphAction;
  /** After the version; with ids that are known to be no paths. */
  readonly path: string;
  /** A form is sent as multipart, parameters urlencoded, anything else as JSON; without a body the call is a GET. */
  readonly body?: FormData | URLSearchParams | object;
  readonly signal: AbortSignal | undefined;
  /** 10 s by default. */
  readonly timeoutMs?: number;
  /** Finds in the reply what it is read for. */
  readonly read: (reply: JsonObject) => T | undefined;
}

/** @returns what `read` finds. Rejects with a GraphError, or with the reason of `signal` once that is aborted. */
export async function callGraph<T>(endpoint: GraphEndpoint, call: GraphCall<T>): Promise<T> {
  const answer = await exchange(endpoint, call);
  const { status, reply } = answer;
  const isOk = status >= 200 && status < 300;
  if (!isOk || isObject(reply?.['error'])) throw refused(call.action, answer);
  const found = reply && call.read(reply);
  if (found === undefined) throw unreadable(call.action, status);
  return found;
}

/** Reads the reply to a change. */
export function isSuccess({ success }: JsonObject): true | undefined {
  return success === true ? true : undefined;
}

async function exchange({ url, token, fetch, clock }: GraphEndpoint, call: GraphCall<unknown>): Promise<GraphAnswer> {
  const { action, path, body, signal, timeoutMs = CALL_TIMEOUT_MS } = call;
  signal?.throwIfAborted();
  const { headers, ...content } = contentOf(body);
  const timeout = new AbortController();
  const cancelTimeout = clock.after(timeoutMs, () => timeout.abort());
  try {
    const response = await fetch(`${url}/${path}`, {
      ...content,
      headers: { ...headers, Authorization: `Bearer ${token}` },
      redirect: 'manual', // following one would repeat the call elsewhere, as a GET
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    });
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock);
    return { status: response.status, reply: parseReply(await readText(response)), retryAfterMs };
  } catch (error) {
    signal?.throwIfAborted();
    throw timeout.signal.aborted ? timedOut(action, timeoutMs) : unreached(action, error);
  } finally {
    cancelTimeout();
  }
}

/** A form and parameters bring their own type. */
function contentOf(body: FormData | URLSearchParams | object | undefined): RequestInit {
  if (body === undefined) return { method: 'GET' };
  if (body instanceof FormData || body instanceof URLSearchParams) return { method: 'POST', body };
  return { method: 'POST', body: JSON.stringify(body), headers: JSON_TYPE };
}

/** Seconds, or a date. @returns undefined for anything else. */
export function parseRetryAfter(value: string | null, clock: Clock): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - clock.epochMs();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}

async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_REPLY_BYTES) return undefined; // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString();
}

function parseReply(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const reply: unknown = JSON.parse(text);
    return isObject(reply) ? reply : undefined;
  } catch {
    return undefined;
  }
}
