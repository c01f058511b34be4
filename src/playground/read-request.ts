/** What the page posts, checked field by field: each failure is a sentence. */
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { ALERTS, type TokenRequest, type WebhookRequest } from './api.ts';
import { badRequest } from './api-error.ts';

/** Of a message, as WhatsApp takes it. */
export const MAX_TEXT_CHARS = 4_096;
export const MAX_TOKEN_CHARS = 4_096;

/** @throws ApiError 400. */
export function readJson(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw badRequest('the body must be a JSON object');
}

/** @throws ApiError 400. */
export function readTokenRequest({ flow, user, singleUse = false }: JsonObject): TokenRequest {
  if (typeof singleUse !== 'boolean') throw badRequest('singleUse must be true or false');
  return { flow: text('flow', flow), user: text('user', user), singleUse };
}

/** @throws ApiError 400. */
export function readToken({ token }: JsonObject): string {
  return text('token', token, MAX_TOKEN_CHARS);
}

/** @throws ApiError 400. */
export function readWebhookRequest({ kind, ...given }: JsonObject): WebhookRequest {
  if (kind === 'text') return { kind, text: text('text', given['text'], MAX_TEXT_CHARS) };
  if (kind === 'completion') return { kind, ...readCompletion(given) };
  if (kind === 'alert') return { kind, ...readAlert(given) };
  throw badRequest('kind must be completion, text or alert');
}

/** @throws ApiError 400. @returns 0 where none is given. */
export function readAfter(query: URLSearchParams): number {
  const after = query.get('after') ?? '0';
  if (/^\d{1,15}$/.test(after)) return Number(after);
  throw badRequest('after must be the number of a message');
}

function readCompletion({ flow, token, params, replyTo }: JsonObject) {
  if (!isObject(params)) throw badRequest('params must be an object');
  return {
    flow: text('flow', flow),
    token: text('token', token, MAX_TOKEN_CHARS),
    params,
    ...(replyTo !== undefined && { replyTo: text('replyTo', replyTo) }),
  };
}

function readAlert({ alert: wanted, isActive }: JsonObject) {
  const alert = ALERTS.find((name) => name === wanted);
  if (!alert) throw badRequest(`alert must be one of ${ALERTS.join(', ')}`);
  if (typeof isActive !== 'boolean') throw badRequest('isActive must be true or false');
  return { alert, isActive };
}

function text(name: string, value: JsonValue | undefined, maxChars = 256): string {
  if (typeof value === 'string' && value !== '' && value.length <= maxChars) return value;
  throw badRequest(`${name} must be a text of 1 to ${maxChars} characters`);
}
