/** Deliveries at random: of Meta's events, and of anything at all. */
import fc from 'fast-check';
import type { JsonObject } from '../../src/json.ts';
import {
  buttonReply,
  delivery,
  type FlowAlertName,
  flowAlert,
  image,
  listReply,
  type MessageStatus,
  type MetaEvent,
  message,
  nfmReply,
  statusUpdate,
  systemMessage,
  TEST_USER,
  textMessage,
  toWireText,
  type WhatsAppUser,
} from '../../src/testing/index.ts';
import { itemsIn } from '../../src/webhooks/delivery.ts';
import type { NewItem } from '../../src/webhooks/inbox.ts';

export const RECEIVED_AT_MS = 1_800_000_000_000;

/** What the inbox is given of these events, delivered in one body. */
export const itemsOf = (...events: readonly MetaEvent[]): NewItem[] =>
  itemsIn(Buffer.from(toWireText(delivery(events))), RECEIVED_AT_MS);

export function itemOf(event: MetaEvent): NewItem {
  const [item] = itemsOf(event);
  if (!item) throw new Error('a delivery without an item');
  return item;
}

/** A body with one change of the field `messages`. */
export const changeOf = (value: object): object => ({
  object: 'whatsapp_business_account',
  entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
});

const text = fc.string({ unit: 'binary' });
const options = fc.record({
  id: fc.oneof(
    { weight: 9, arbitrary: fc.uuid().map((uuid) => `wamid.${uuid}`) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
  user: fc.constantFrom<WhatsAppUser>(TEST_USER, { userId: 'US.2', name: 'Ada', username: 'ada' }, { waId: '4915' }),
  at: fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }).map((seconds) => new Date(seconds * 1_000)),
  replyTo: fc.constantFrom('wamid.0', 'wamid.1'),
});

export const anyMetaEvent: fc.Arbitrary<MetaEvent> = fc.oneof(
  fc.tuple(text, options).map(([body, how]) => textMessage(body, how)),
  fc.tuple(text, options).map(([title, how]) => buttonReply({ id: 'b', title }, how)),
  fc.tuple(text, options).map(([title, how]) => listReply({ id: 'r', title }, how)),
  fc.tuple(fc.dictionary(text, fc.jsonValue()), options).map(([params, how]) => nfmReply({ token: 't', params }, how)),
  fc.tuple(text, options).map(([caption, how]) => image({ id: '7', sha256: 'x', caption }, how)),
  fc.tuple(fc.jsonValue(), options).map(([content, how]) => message('poll', content as JsonObject, how)),
  options.map((how) => systemMessage({ newWaId: '1' }, how)),
  fc
    .tuple(
      fc.constantFrom<MessageStatus>('sent', 'delivered', 'read', 'failed', 'played'),
      fc.option(fc.constantFrom('p1', 'p2'), { nil: '' }),
      options,
    )
    .map(([status, recipient_participant_id, { id, ...how }]) =>
      statusUpdate({ messageId: id, status, fields: { recipient_participant_id }, ...how }),
    ),
  fc
    .tuple(
      fc.constantFrom<FlowAlertName>('FLOW_STATUS_CHANGE', 'ENDPOINT_LATENCY', 'FLOW_VERSION_EXPIRY_WARNING'),
      text,
      options,
    )
    .map(([event, said, { at }]) => flowAlert(event, { message: said }, { at })),
);

const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
const orJson = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 1, arbitrary: json }, { weight: 4, arbitrary });
const listOf = (arbitrary: fc.Arbitrary<unknown>) => orJson(fc.array(orJson(arbitrary), { maxLength: 4 }));
const strange = fc.record(
  {
    id: json,
    from: json,
    from_user_id: json,
    timestamp: json,
    type: orJson(fc.constantFrom('text', 'image', 'interactive', 'button', 'system', 'poll')),
    text: json,
    image: json,
    button: json,
    interactive: orJson(
      fc.record({ type: fc.constantFrom('nfm_reply', 'button_reply', 'other'), nfm_reply: json, button_reply: json }),
    ),
    status: orJson(fc.constantFrom('sent', 'failed', 'other')),
    recipient_participant_id: json,
    errors: json,
    wa_id: json,
    user_id: json,
    profile: json,
    event: orJson(fc.constantFrom('ENDPOINT_LATENCY', 'FLOW_STATUS_CHANGE', 'OTHER')),
    alert_state: json,
  },
  { requiredKeys: [] },
);
const value = fc.record(
  { messages: listOf(strange), statuses: listOf(strange), errors: listOf(strange), contacts: listOf(strange) },
  { requiredKeys: [] },
);
const change = fc.record({
  field: orJson(fc.constantFrom('messages', 'flows', 'account_update')),
  value: orJson(fc.oneof(value, strange)),
});
const entry = fc.record({ id: json, time: json, changes: listOf(change) }, { requiredKeys: [] });

/** Shaped like a delivery, with something else in any place of it. */
export const anyDelivery: fc.Arbitrary<unknown> = orJson(fc.record({ object: json, entry: listOf(entry) }));
