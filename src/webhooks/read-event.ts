/** From what the inbox keeps of an event to what a handler sees. Whatever is missing or of another type is undefined. */
import { parse as parseJson } from 'secure-json-parse';
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../json.ts';
import type { StoredEvent } from './delivery.ts';
import type { EventType, FlowEventType, MessageEventType, MessageStatus, StatusEventType } from './event-types.ts';
import type {
  ChoiceMessage,
  CompletionMessage,
  EventBase,
  FlowAlertEvent,
  MediaMessage,
  MessageBase,
  StatusEvent,
  WebhookEvent,
} from './events.ts';

/** @param payload as `itemsIn` made it, for the same type. */
export function readEvent(id: string, type: EventType, payload: JsonObject): WebhookEvent {
  const stored = payload as StoredEvent;
  const raw = isObject(stored.raw) ? stored.raw : {};
  const base: EventBase = {
    id,
    receivedAtMs: stored.receivedAtMs,
    sentAtMs: timestampOf(raw) ?? secondsToMs(stored.entryTime),
    businessAccountId: nonEmptyString(stored.entryId),
    tenant: nonEmptyString(payload['tenant']),
    raw,
  };
  const phoneNumberId = nonEmptyString(field(stored.metadata, 'phone_number_id'));
  if (type.startsWith('message.') || type === 'system') {
    return messageEvent(type as MessageEventType, raw, { ...base, ...senderOf(raw, stored), phoneNumberId });
  }
  if (type.startsWith('status.')) return statusEvent(type as StatusEventType, raw, { ...base, phoneNumberId });
  if (type.startsWith('flow.')) return flowAlert(type as FlowEventType, raw, base);
  if (type === 'error') return { ...base, type, phoneNumberId, errorCodes: codesIn([raw]) };
  const text = typeof stored.raw === 'string' ? stored.raw : undefined;
  return { ...base, type: 'unknown', field: nonEmptyString(stored.field), text };
}

/** Epoch ms of a message or a status; Meta writes unix seconds, as text. */
export function timestampOf(raw: JsonObject): number | undefined {
  return secondsToMs(raw['timestamp']);
}

function messageEvent(type: MessageEventType, raw: JsonObject, base: MessageBase): WebhookEvent {
  switch (type) {
    case 'message.text':
      return { ...base, type, text: nonEmptyString(field(raw['text'], 'body')) ?? '' };
    case 'message.button_reply':
    case 'message.list_reply':
      return { ...base, type, choice: choiceOf(field(raw['interactive'], type.slice('message.'.length))) };
    case 'message.interactive.nfm_reply':
      return { ...base, type, ...completionOf(field(raw['interactive'], 'nfm_reply')) };
    case 'message.button':
      return {
        ...base,
        type,
        payload: nonEmptyString(field(raw['button'], 'payload')),
        text: nonEmptyString(field(raw['button'], 'text')),
      };
    case 'message.image':
    case 'message.audio':
    case 'message.video':
    case 'message.document':
    case 'message.sticker':
      return { ...base, type, media: mediaOf(raw[type.slice('message.'.length)]) };
    default:
      return { ...base, type };
  }
}

function senderOf(raw: JsonObject, { contact }: StoredEvent): Omit<MessageBase, keyof EventBase | 'phoneNumberId'> {
  return {
    messageId: nonEmptyString(raw['id']),
    from: nonEmptyString(raw['from']) ?? nonEmptyString(field(contact, 'wa_id')),
    userId: nonEmptyString(raw['from_user_id']) ?? nonEmptyString(field(contact, 'user_id')),
    profileName: nonEmptyString(field(field(contact, 'profile'), 'name')),
    replyTo: nonEmptyString(field(raw['context'], 'id')),
  };
}

function statusEvent(
  type: StatusEventType,
  raw: JsonObject,
  base: EventBase & Pick<StatusEvent, 'phoneNumberId'>,
): StatusEvent {
  return {
    ...base,
    type,
    status: type.slice('status.'.length) as MessageStatus,
    messageId: nonEmptyString(raw['id']),
    recipient: nonEmptyString(raw['recipient_id']),
    recipientUserId: nonEmptyString(raw['recipient_user_id']),
    errorCodes: codesIn(raw['errors']),
  };
}

function flowAlert(type: FlowEventType, raw: JsonObject, base: EventBase): FlowAlertEvent {
  const state = raw['alert_state'];
  return {
    ...base,
    type,
    flowId: nonEmptyString(raw['flow_id']),
    alertState: state === 'ACTIVATED' || state === 'DEACTIVATED' ? state : undefined,
    message: nonEmptyString(raw['message']) ?? nonEmptyString(raw['warning']),
    value: finite(raw['p90_latency']) ?? finite(raw['error_rate']) ?? finite(raw['availability']),
    threshold: finite(raw['threshold']),
    newStatus: nonEmptyString(raw['new_status']),
  };
}

function choiceOf(choice: JsonValue | undefined): ChoiceMessage['choice'] {
  return {
    id: nonEmptyString(field(choice, 'id')) ?? '',
    title: nonEmptyString(field(choice, 'title')) ?? '',
    description: nonEmptyString(field(choice, 'description')),
  };
}

function mediaOf(media: JsonValue | undefined): MediaMessage['media'] {
  return {
    id: nonEmptyString(field(media, 'id')),
    mimeType: nonEmptyString(field(media, 'mime_type')),
    sha256: nonEmptyString(field(media, 'sha256')),
    caption: nonEmptyString(field(media, 'caption')),
    filename: nonEmptyString(field(media, 'filename')),
  };
}

/** `response_json` is JSON within JSON: parsed a second time, and allowed to be none. */
function completionOf(reply: JsonValue | undefined): Pick<CompletionMessage, 'name' | 'response' | 'flowToken'> {
  const response = parsedObject(field(reply, 'response_json'));
  return { name: nonEmptyString(field(reply, 'name')), response, flowToken: nonEmptyString(response?.['flow_token']) };
}

function parsedObject(text: JsonValue | undefined): JsonObject | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = parseJson(text, { protoAction: 'remove', constructorAction: 'remove' });
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function codesIn(errors: JsonValue | undefined): number[] {
  const list: readonly JsonValue[] = Array.isArray(errors) ? errors : [];
  return list.map((error) => finite(field(error, 'code'))).filter((code) => code !== undefined);
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) ? value[name] : undefined;
}

function finite(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function secondsToMs(value: JsonValue | undefined): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isSafeInteger(seconds * 1000) ? seconds * 1000 : undefined;
}
