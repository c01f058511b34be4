/**
 * Takes a delivery apart: one item for the inbox for each message, status, alert and error in it.
 *
 * Meta puts up to 1,000 of them into one delivery, and puts them together otherwise when it delivers again: so each is
 * stored under an id made from what makes it itself. Whatever is not understood becomes an item as well, of type
 * `unknown`: refused, it would come back for seven days.
 * Source: Meta, "Webhooks" (payload examples, retries); the shapes in "Webhooks reference", messages and flows.
 */
import { hash } from 'node:crypto';
import { parse as parseJson } from 'secure-json-parse';
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../json.ts';
import { type EventType, flowEventType, messageEventType, statusEventType } from './event-types.ts';
import type { NewItem } from './inbox.ts';

/** Ten times what Meta announces. Beyond it the delivery is stored whole, as one unknown item. */
const MAX_EVENTS = 10_000;

/** What the inbox keeps of an event: the piece of the delivery that is its own, and what stood around it. */
export type StoredEvent = JsonObject & {
  readonly receivedAtMs: number;
  /** The WhatsApp Business Account. */
  readonly entryId?: JsonValue;
  /** Unix seconds; flow alerts have it. */
  readonly entryTime?: JsonValue;
  readonly field?: JsonValue;
  readonly metadata?: JsonValue;
  readonly contact?: JsonValue;
  /** The message, status, error or change itself; for what is not JSON, its text. */
  readonly raw: JsonValue;
  /** Of the acknowledgement, where it is traced. */
  readonly traceparent?: string;
};

/** Never throws, whatever the bytes are. */
export function itemsIn(bytes: Buffer, receivedAtMs: number, traceparent?: string): NewItem[] {
  const arrival = { receivedAtMs, ...present({ traceparent }) };
  const text = bytes.toString('utf8');
  try {
    const body: unknown = parseJson(text, { protoAction: 'remove', constructorAction: 'remove' });
    const events = [...eventsIn(body as JsonValue)];
    if (events.length > 0 && events.length <= MAX_EVENTS) return events.map((event) => toItem(event, arrival));
  } catch {
    // Not JSON, or nested too deep to be written again.
  }
  return [toItem({ type: 'unknown', key: undefined, context: {}, raw: text }, arrival)];
}

/** What is kept of an event and is not part of what makes it the same one. */
type Arrival = Pick<StoredEvent, 'receivedAtMs' | 'traceparent'>;

interface FoundEvent {
  readonly type: EventType;
  /** What makes it the same event when it is delivered again; without one, everything it says. */
  readonly key: string | undefined;
  readonly context: JsonObject;
  /** Who a message is from: apart, since it stands beside the message and may be missing the next time. */
  readonly contact?: JsonValue | undefined;
  readonly raw: JsonValue;
}

function* eventsIn(body: JsonValue): Generator<FoundEvent> {
  const entries = isObject(body) ? body['entry'] : undefined;
  if (!Array.isArray(entries)) return yield unknown({}, body);
  for (const entry of entries as readonly JsonValue[]) {
    const changes = isObject(entry) ? entry['changes'] : undefined;
    if (!isObject(entry) || !Array.isArray(changes)) {
      yield unknown({}, entry);
      continue;
    }
    const context = present({ entryId: entry['id'], entryTime: entry['time'] });
    for (const change of changes as readonly JsonValue[]) yield* eventsInChange(change, context);
  }
}

function* eventsInChange(change: JsonValue, entry: JsonObject): Generator<FoundEvent> {
  const { field = null, value = null } = isObject(change) ? change : {};
  const context = { ...entry, ...present({ field }) };
  if (field === 'messages' && isObject(value)) return yield* eventsInValue(value, context);
  if (field === 'flows' && isObject(value)) {
    return yield { type: flowEventType(value['event']), key: undefined, context, raw: value };
  }
  yield unknown(context, change);
}

function* eventsInValue(value: JsonObject, entry: JsonObject): Generator<FoundEvent> {
  const context = { ...entry, ...present({ metadata: value['metadata'] }) };
  const contacts = contactsBySender(value['contacts']);
  let isEmpty = true;
  for (const raw of listIn(value['messages'])) {
    isEmpty = false;
    yield messageEvent(raw, context, contacts);
  }
  for (const raw of listIn(value['statuses'])) {
    isEmpty = false;
    yield statusEvent(raw, context);
  }
  for (const raw of listIn(value['errors'])) {
    isEmpty = false;
    yield { type: 'error', key: undefined, context, raw };
  }
  if (isEmpty) yield unknown(context, value);
}

function messageEvent(raw: JsonValue, context: JsonObject, contacts: ReadonlyMap<JsonValue, JsonValue>): FoundEvent {
  if (!isObject(raw)) return unknown(context, raw);
  const { interactive, id } = raw;
  const type = messageEventType(raw['type'], isObject(interactive) ? interactive['type'] : undefined);
  const contact = contacts.get(raw['from_user_id'] ?? '') ?? contacts.get(raw['from'] ?? '');
  const key = nonEmptyString(id) && `m:${id}`;
  return { type, key, context, contact, raw };
}

function statusEvent(raw: JsonValue, context: JsonObject): FoundEvent {
  if (!isObject(raw)) return unknown(context, raw);
  const { id, status } = raw;
  const participant = nonEmptyString(raw['recipient_participant_id']) ?? '';
  const key = nonEmptyString(id) && nonEmptyString(status) && `s:${id}:${status}:${participant}`;
  return { type: statusEventType(status), key: key || undefined, context, raw };
}

function unknown(context: JsonObject, raw: JsonValue): FoundEvent {
  return { type: 'unknown', key: undefined, context, raw };
}

/** @throws RangeError for what is nested too deep to be written. */
function toItem({ type, key, context, contact, raw }: FoundEvent, arrival: Arrival): NewItem {
  const said = { ...context, raw };
  const payload: StoredEvent = { ...said, ...present({ contact }), ...arrival };
  JSON.stringify(payload); // what cannot be written could never be stored
  const id = `evt_${hash('sha256', key ?? `x:${JSON.stringify(said)}`, 'hex').slice(0, 32)}`;
  return { id, kind: 'event', type, payload };
}

/** A user is known by a business-scoped id, by a number, or by both; contacts come beside the messages, in any order. */
function contactsBySender(contacts: JsonValue | undefined): ReadonlyMap<JsonValue, JsonValue> {
  const byId = new Map<JsonValue, JsonValue>();
  for (const contact of listIn(contacts)) {
    if (!isObject(contact)) continue;
    for (const id of [contact['wa_id'], contact['user_id']]) if (nonEmptyString(id)) byId.set(id as string, contact);
  }
  return byId;
}

/** Meta's lists; anything else that stands in their place is one thing not understood. */
function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value as JsonValue];
}

function present(fields: Record<string, JsonValue | undefined>): JsonObject {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as JsonObject;
}
