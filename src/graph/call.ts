/** One call to the Graph API: a time limit, a cap on the reply, and every way to fail as a GraphError. No retry. */
import { type Clock, systemClock } from '../clock.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type GraphAction, refused, timedOut, unreached, unreadable } from './graph-error.ts';

export const DEFAULT_GRAPH_URL = 'https://graph.facebook.com';
export const DEFAULT_GRAPH_VERSION = 'v25.0';
/** Sending and uploading are one call each. */
export const CALL_TIMEOUT_MS = 10_000;
export const MAX_REPLY_BYTES = 1024 * 1024;
const JSON_TYPE = { 'Content-Type': 'application/json' };

export interface GraphOptions {
  /** `https://graph.facebook.com` by default. */
  readonly baseUrl?: string | undefined;
  /** `v25.0` by default. */
  readonly version?: string | undefined;
  readonly token: string;
  /** The id of the number, not the number. */
  readonly phoneNumberId: string;
  readonly fetch?: typeof fetch | undefined;
  readonly clock?: Clock | undefined;
}

/** One business number at the Graph API. */
export interface GraphEndpoint {
  /** With the number's id, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

export interface GraphCall<T> {
  readonly action: GraphAction;
  readonly path: 'messages' | 'media' | 'whatsapp_business_encryption';
  /** A form is sent as multipart, parameters urlencoded, anything else as JSON; without a body the call is a GET. */
  readonly body?: FormData | URLSearchParams | object;
  readonly signal: AbortSignal | undefined;
  /** Finds in the reply what it is read for. */
  readonly read: (reply: JsonObject) => T | undefined;
}

interface Answer {
  readonly status: number;
  /** Undefined when the body is too long, or not a JSON object. */
  readonly reply: JsonObject | undefined;
}

/**
 * What is wrong is named and never shown: `fetch` would quote a token that cannot be a header.
 * @throws TypeError for options no call could work with.
 */
export function toEndpoint({ token, phoneNumberId, ...options }: GraphOptions): GraphEndpoint {
  const { baseUrl = DEFAULT_GRAPH_URL, version = DEFAULT_GRAPH_VERSION, clock = systemClock } = options;
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!base || !/^https?:$/.test(base.protocol) || base.username || base.password || base.search || base.hash) {
    throw new TypeError('baseUrl must be an http or https URL without user, query and fragment');
  }
  if (!/^v\d+\.\d+$/.test(version)) throw new TypeError('version must look like v25.0');
  if (!/^\d+$/.test(phoneNumberId))
    throw new TypeError('phoneNumberId must be digits: the id of the number, from Meta');
  if (!/^[!-~]+$/.test(token)) throw new TypeError('token must be printable ASCII without spaces');
  const url = `${base.href.replace(/\/+$/, '')}/${version}/${phoneNumberId}`;
  return { url, token, clock, fetch: options.fetch ?? ((input, init) => fetch(input, init)) };
}

/** @returns what `read` finds. Rejects with a GraphError, or with the reason of `signal` once that is aborted. */
export async function callGraph<T>(endpoint: GraphEndpoint, call: GraphCall<T>): Promise<T> {
  const { status, reply } = await exchange(endpoint, call);
  const isOk = status >= 200 && status < 300;
  if (!isOk || isObject(reply?.['error'])) throw refused(call.action, status, reply);
  const found = reply && call.read(reply);
  if (found === undefined) throw unreadable(call.action, status);
  return found;
}

async function exchange({ url, token, fetch, clock }: GraphEndpoint, call: GraphCall<unknown>): Promise<Answer> {
  const { action, path, body, signal } = call;
  signal?.throwIfAborted();
  const { headers, ...content } = contentOf(body);
  const timeout = new AbortController();
  const cancelTimeout = clock.after(CALL_TIMEOUT_MS, () => timeout.abort());
  try {
    const response = await fetch(`${url}/${path}`, {
      ...content,
      headers: { ...headers, Authorization: `Bearer ${token}` },
      redirect: 'manual', // following one would repeat the call elsewhere, as a GET
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    });
    return { status: response.status, reply: parseReply(await readText(response)) };
  } catch (error) {
    signal?.throwIfAborted();
    throw timeout.signal.aborted ? timedOut(action, CALL_TIMEOUT_MS) : unreached(action, error);
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
