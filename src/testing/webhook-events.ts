/**
 * What Meta tells a webhook, one event at a time, as it stands in a body; `webhook-bodies.ts` packs them.
 *
 * Ids, times and tokens that are not passed in come from node:crypto and the current time. `fields`, wherever it is
 * taken, is merged over what would be sent, by the names on the wire.
 * Source: Meta, "Webhooks" (messages, statuses, system messages), "Business-scoped user IDs", "Flows webhooks".
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { JsonObject, JsonValue } from '../json.ts';

/** A person on WhatsApp. Who has adopted a username may come without `waId`. */
export interface WhatsAppUser {
  /** The phone number, digits only. */
  readonly waId?: string;
  /** The same person for one business, whatever their number: `US.1349...`. */
  readonly userId?: string;
  readonly name?: string;
  readonly username?: string;
}

export interface Business {
  readonly wabaId: string;
  readonly phoneNumberId: string;
  /** Digits only. */
  readonly displayPhoneNumber: string;
}

export const TEST_USER: WhatsAppUser = {
  waId: '16505551234',
  userId: 'US.13491208655302741918',
  name: 'Sheena Nelson',
};
export const TEST_BUSINESS: Business = {
  wabaId: '102290129340398',
  phoneNumberId: '106540352242922',
  displayPhoneNumber: '15550783881',
};

/** One thing Meta tells. Delivered twice, it is the same event: it keeps its id and its time. */
export type MetaEvent = MessagesEvent | FlowsEvent;

export interface MessagesEvent {
  /** The list it stands in. */
  readonly kind: 'messages' | 'statuses';
  readonly item: JsonObject;
  /** Who it is about. */
  readonly contact?: JsonObject;
}

export interface FlowsEvent {
  readonly kind: 'flows';
  readonly value: JsonObject;
  readonly timeSec: number;
}

export interface EventOptions {
  /** When it happened. */
  readonly at?: Date;
  readonly fields?: JsonObject;
}

export interface MessageOptions extends EventOptions {
  /** `wamid.` and base64. */
  readonly id?: string;
  readonly user?: WhatsAppUser;
  /** Whom a reply quotes. */
  readonly business?: Business;
  /** The id of the message that is replied to. A button, a list and a Flow are always replied to. */
  readonly replyTo?: string;
}

export function textMessage(body: string, options?: MessageOptions): MetaEvent {
  return message('text', { body }, options);
}

export function buttonReply(button: { id: string; title: string }, options?: MessageOptions): MetaEvent {
  return interactive('button_reply', button, options);
}

export function listReply(
  row: { id: string; title: string; description?: string },
  options?: MessageOptions,
): MetaEvent {
  return interactive('list_reply', row, options);
}

/**
 * The message that ends a Flow. @param token absent, the reply has no flow_token, as some clients send it.
 * @param params what the Flow was completed with; a flow_token in it wins.
 */
export function nfmReply(
  { token, params = {} }: { token?: string | undefined; params?: object | undefined },
  options?: MessageOptions,
): MetaEvent {
  const response = JSON.stringify({ flow_token: token, ...params });
  return interactive('nfm_reply', { response_json: response, body: 'Sent', name: 'flow' }, options);
}

const MEDIA: Readonly<Record<MediaType, JsonObject>> = {
  image: { mime_type: 'image/jpeg' },
  video: { mime_type: 'video/mp4' },
  audio: { mime_type: 'audio/ogg; codecs=opus', voice: true },
  document: { filename: 'document.pdf', mime_type: 'application/pdf' },
  sticker: { mime_type: 'image/webp', animated: false },
};
export type MediaType = 'image' | 'video' | 'audio' | 'document' | 'sticker';

/** @param content e.g. `{ caption: 'Hi' }`. */
export function media(type: MediaType, content: JsonObject = {}, options?: MessageOptions): MetaEvent {
  const file = { sha256: randomBytes(32).toString('base64'), id: digits(16) };
  return message(type, { ...MEDIA[type], ...file, ...content }, options);
}

export function image(content?: JsonObject, options?: MessageOptions): MetaEvent {
  return media('image', content, options);
}

export type SystemChange = { readonly newWaId: string } | { readonly newUserId: string };

/** Not from a person, though it has the shape of a message: somebody's number or user id is another now. */
export function systemMessage(change: SystemChange, { user = TEST_USER, ...options }: MessageOptions = {}): MetaEvent {
  const { kind, item } = message('system', system(user, change), { user, ...options });
  return { kind, item }; // Meta sends no contact with it
}

/** Any other message, of a type known or not: `message('reaction', { message_id, emoji })`. */
export function message(type: string, content: JsonValue, options: MessageOptions = {}): MessagesEvent {
  const { user = TEST_USER, business = TEST_BUSINESS, id = wamid(user), at, replyTo, fields } = options;
  return {
    kind: 'messages',
    item: present({
      context: replyTo === undefined ? undefined : { from: business.displayPhoneNumber, id: replyTo },
      from: user.waId,
      from_user_id: user.userId,
      id,
      timestamp: String(seconds(at)),
      type,
      [type]: content,
      ...fields,
    }),
    contact: contactOf(user),
  };
}

export type MessageStatus = 'sent' | 'delivered' | 'read' | 'failed' | 'played';

export interface StatusOptions extends EventOptions {
  /** The id of the message that the business sent. */
  readonly messageId: string;
  readonly status: MessageStatus;
  readonly user?: WhatsAppUser;
}

/** What became of a message that the business sent: priced until it is read, with an error when it failed. */
export function statusUpdate({ messageId, status, user = TEST_USER, at, fields }: StatusOptions): MetaEvent {
  const isFailed = status === 'failed';
  const isPriced = status === 'sent' || status === 'delivered';
  return {
    kind: 'statuses',
    item: present({
      id: messageId,
      status,
      timestamp: String(seconds(at)),
      recipient_id: user.waId,
      recipient_user_id: user.userId,
      pricing: isPriced ? PRICING : undefined,
      errors: isFailed ? [RE_ENGAGEMENT] : undefined,
      ...fields,
    }),
    ...(!isFailed && { contact: contactOf(user) }),
  };
}

const PRICING = { billable: true, pricing_model: 'PMP', type: 'regular', category: 'utility' };
const RE_ENGAGEMENT = {
  code: 131047,
  title: 'Re-engagement message',
  message: 'Re-engagement message',
  error_data: { details: 'More than 24 hours have passed since the customer last replied to this number.' },
};

export type FlowAlertName =
  | 'FLOW_STATUS_CHANGE'
  | 'CLIENT_ERROR_RATE'
  | 'ENDPOINT_ERROR_RATE'
  | 'ENDPOINT_LATENCY'
  | 'ENDPOINT_AVAILABILITY'
  | 'FLOW_VERSION_EXPIRY_WARNING';

/** A `flows` webhook. @param content by the names on the wire, merged over an example of Meta's. */
export function flowAlert(event: FlowAlertName, content: JsonObject = {}, { at }: { at?: Date } = {}): MetaEvent {
  return { kind: 'flows', value: { event, ...ALERTS[event], ...content }, timeSec: seconds(at) };
}

const FLOW_ID = '6627390910605886';
const ERROR_RATE = { error_rate: 14.28, threshold: 10, alert_state: 'ACTIVATED' };
const ALERTS: Readonly<Record<FlowAlertName, JsonObject>> = {
  FLOW_STATUS_CHANGE: {
    message: 'Flow Webhook 3 changed status from DRAFT to PUBLISHED',
    flow_id: FLOW_ID,
    old_status: 'DRAFT',
    new_status: 'PUBLISHED',
  },
  CLIENT_ERROR_RATE: {
    message: 'The Flow client request error rate has reached the 10% threshold in the last 60 minutes.',
    flow_id: FLOW_ID,
    ...ERROR_RATE,
    errors: [{ error_type: 'INVALID_SCREEN_TRANSITION', error_rate: 66.66, error_count: 2 }],
  },
  ENDPOINT_ERROR_RATE: {
    message: 'The Flow endpoint request error rate has reached the 10% threshold in the last 30 minutes.',
    flow_id: FLOW_ID,
    ...ERROR_RATE,
    errors: [{ error_type: 'CAPABILITY_ERROR', error_rate: 66.66, error_count: 2 }],
  },
  ENDPOINT_LATENCY: {
    message: 'The p90 latency of the Flow endpoint has reached the 7 s threshold.',
    flow_id: FLOW_ID,
    p90_latency: 8_000,
    p50_latency: 500,
    requests_count: 34,
    threshold: 7_000,
    alert_state: 'ACTIVATED',
  },
  ENDPOINT_AVAILABILITY: {
    message: 'The availability of the Flow endpoint has fallen below the 90% threshold.',
    flow_id: FLOW_ID,
    alert_state: 'ACTIVATED',
    availability: 75,
    threshold: 90,
  },
  FLOW_VERSION_EXPIRY_WARNING: {
    warning: 'The version of this Flow expires soon.',
    flow_id: FLOW_ID,
  },
};

function interactive(type: string, reply: JsonObject, options: MessageOptions = {}): MetaEvent {
  return message('interactive', { type, [type]: reply }, { replyTo: wamid(options.user ?? TEST_USER), ...options });
}

function system({ waId = '', userId = '', name = '' }: WhatsAppUser, change: SystemChange): JsonObject {
  if ('newWaId' in change) {
    const { newWaId } = change;
    const body = `User ${name} changed from ${waId} to ${newWaId}`;
    return { body, wa_id: newWaId, type: 'user_changed_number' };
  }
  const body = `User changed from ${userId} to ${change.newUserId}`;
  return { body, user_id: change.newUserId, previous_user_id: userId, type: 'user_changed_user_id' };
}

function contactOf({ waId, userId, name, username }: WhatsAppUser): JsonObject {
  return present({ profile: present({ name, username }), wa_id: waId, user_id: userId });
}

/** A message id as WhatsApp makes them: the base64 of the person's number and twenty random hex digits. */
function wamid({ waId = '' }: WhatsAppUser): string {
  const random = randomBytes(10).toString('hex').toUpperCase();
  const bytes = ['\x1c\x18', String.fromCharCode(waId.length), waId, '\x15\x02\0\x12\x18\x14', random, '\0'];
  return `wamid.${Buffer.from(bytes.join(''), 'latin1').toString('base64')}`;
}

function seconds(at = new Date()): number {
  return Math.floor(at.getTime() / 1000);
}

function digits(count: number): string {
  return Array.from({ length: count }, () => randomInt(1, 10)).join('');
}

/** The fields that are there. */
export function present(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject;
}
