/**
 * The wire format of the Flows data endpoint, and its parsing: what these functions return is trusted from there on.
 *
 * Sources: Meta, "Implementing Endpoint for Flows" and "Flows error codes"; where the pages leave a point open, both
 * readings are taken.
 */
import { parse as parseJson } from 'secure-json-parse';
import type { SealedEnvelope } from '../crypto/open-envelope.ts';
import { FlowgateError } from '../errors.ts';
import type { VerifiedBody } from '../http/signature.ts';
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../json.ts';

/** The actions an app answers; `ping` and error notifications are answered for it. */
export type FlowAction = 'INIT' | 'BACK' | 'data_exchange';

const FLOW_ACTIONS: ReadonlySet<string> = new Set<FlowAction>(['INIT', 'BACK', 'data_exchange']);

export function isFlowAction(action: string): action is FlowAction {
  return FLOW_ACTIONS.has(action);
}

/** One decrypted request. */
export interface FlowRequest {
  /** As sent: `ping`, a FlowAction, or what a future client says. */
  readonly action: string;
  /** `"3.0"` or `"4.0"` so far; never validated. */
  readonly version: string | undefined;
  /** The screen the user is on. Absent on INIT, and for a text that cannot name a screen: what is here may be logged. */
  readonly screen: string | undefined;
  /** The payload of the action; `{}` for whatever was not an object. */
  readonly data: JsonObject;
  /** Absent on pings and on some iOS devices; the literal `"unused"` when the sender gave none. */
  readonly token: string | undefined;
  /** A JWT over the token, not verified. Only from clients of data API 4.0 and Flow JSON 7.3 on, and not always. */
  readonly tokenSignature: string | undefined;
}

/** A client telling that it could not use an earlier answer. Changes no business state. */
export interface ErrorNotification {
  /** A key of `CLIENT_ERROR_KEYS`, or `other`: safe as a label and in a log. */
  readonly key: string;
}

/** Keys that Meta's pages and clients use; they come in `data.error`, or in `data.error_key` by one docs table. */
const CLIENT_ERROR_KEYS = new Set([
  'response-decryption-error',
  'invalid-screen-transition',
  'payload-schema-error',
  'components-validation-error',
  'timeout_error',
  'missing_capability',
  'cannot_be_served',
  'no_http_response_error',
  'unexpected_http_status_code',
  'public-key-missing',
  'public-key-signiture-verification', // spelled so on Meta's page
  'business-decryption-error',
]);

export const PING_REPLY = JSON.stringify({ data: { status: 'active' } });
export const ERROR_NOTIFICATION_REPLY = JSON.stringify({ data: { acknowledged: true } });

/** @throws FlowgateError `ENVELOPE_MALFORMED`. Keys other than the three are tolerated. */
export function parseEnvelope(body: VerifiedBody): SealedEnvelope {
  let envelope: unknown;
  try {
    envelope = JSON.parse(body.bytes.toString('utf8'));
  } catch {
    throw malformed('the body is not JSON');
  }
  if (!isObject(envelope)) throw malformed('the body is not a JSON object');
  return {
    wrappedKey: base64Field(envelope, 'encrypted_aes_key'),
    sealedPayload: base64Field(envelope, 'encrypted_flow_data'),
    iv: base64Field(envelope, 'initial_vector'),
  };
}

/**
 * @param plaintext as decrypted; keys that could reach a prototype (`__proto__`, `constructor.prototype`) are dropped.
 * @throws FlowgateError `PAYLOAD_MALFORMED` when it is not a JSON object: it did decrypt, so this is no 421.
 */
export function parseFlowRequest(plaintext: string): FlowRequest {
  let payload: unknown;
  try {
    payload = parseJson(plaintext, null, { protoAction: 'remove', constructorAction: 'remove' });
  } catch {
    payload = undefined;
  }
  if (!isObject(payload)) throw new FlowgateError('PAYLOAD_MALFORMED', 'the decrypted payload is not a JSON object');
  return {
    action: nonEmptyString(payload['action']) ?? '',
    version: nonEmptyString(payload['version']),
    screen: screenName(payload['screen']),
    data: isObject(payload['data']) ? payload['data'] : {},
    token: nonEmptyString(payload['flow_token']),
    tokenSignature: nonEmptyString(payload['flow_token_signature']),
  };
}

/**
 * A form may have a field named `error`, so only a known key counts, or any key that comes with an `error_message`.
 */
export function errorNotificationIn({ data }: FlowRequest): ErrorNotification | undefined {
  const key = data['error'] ?? data['error_key'];
  if (typeof key !== 'string') return undefined;
  if (CLIENT_ERROR_KEYS.has(key)) return { key };
  return typeof data['error_message'] === 'string' ? { key: 'other' } : undefined;
}

function base64Field(envelope: JsonObject, name: string): Buffer {
  const text = envelope[name];
  if (typeof text !== 'string') throw malformed(`${name} is missing or not a string`);
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64, so such a text decodes to fewer bytes than its length tells; the two characters of
  // the URL-safe alphabet it takes. A regular expression over the text cost 6 us a request.
  const isStandard = bytes.length === decodedLength(text) && !text.includes('-') && !text.includes('_');
  if (!isStandard || text === '') throw malformed(`${name} is not base64`);
  return bytes;
}

/** Of a padded base64 text; not a whole number when it is cut. */
function decodedLength(text: string): number {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  return (text.length / 4) * 3 - padding;
}

function malformed(why: string): FlowgateError {
  return new FlowgateError('ENVELOPE_MALFORMED', why);
}

/** Meta allows letters and underscores; digits and hyphens are let through, since older Flows have them. */
function screenName(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,100}$/.test(value) ? value : undefined;
}
