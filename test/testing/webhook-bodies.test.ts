import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import {
  buttonReply,
  delivery,
  flowAlert,
  image,
  listReply,
  type MessagesEvent,
  type MetaEvent,
  media,
  message,
  nfmReply,
  statusUpdate,
  systemMessage,
  textMessage,
  toWireText,
} from '../../src/testing/index.ts';

const at = new Date('2030-01-07T12:00:00.900Z');
const timestamp = '1894017600';
const id = 'wamid.1';
const replyTo = 'wamid.0';
const user = { waId: '16505551234', userId: 'US.1', name: 'Ada' };
const from = { from: '16505551234', from_user_id: 'US.1', id, timestamp };
const context = { from: '15550783881', id: replyTo };

interface Change {
  readonly field: string;
  readonly value: JsonObject & { messages?: JsonObject[]; statuses?: JsonObject[]; contacts?: JsonObject[] };
}
type Body = { object: string; entry: { id: string; time?: number; changes: Change[] }[] };
const bodyOf = (...args: Parameters<typeof delivery>) => delivery(...args) as unknown as Body;
const itemOf = (event: MetaEvent) => (event as MessagesEvent).item;

describe('one event', () => {
  test.each<[string, MetaEvent, object]>([
    ['a text', textMessage('Hi', { id, at, user }), { ...from, type: 'text', text: { body: 'Hi' } }],
    [
      'a text that quotes',
      textMessage('Hi', { id, at, user, replyTo }),
      { context, ...from, type: 'text', text: { body: 'Hi' } },
    ],
    [
      'a button',
      buttonReply({ id: 'btn-1', title: 'Yes' }, { id, at, user, replyTo }),
      {
        context,
        ...from,
        type: 'interactive',
        interactive: { type: 'button_reply', button_reply: { id: 'btn-1', title: 'Yes' } },
      },
    ],
    [
      'a list',
      listReply({ id: 'r1', title: 'T', description: 'D' }, { id, at, user, replyTo }),
      {
        context,
        ...from,
        type: 'interactive',
        interactive: { type: 'list_reply', list_reply: { id: 'r1', title: 'T', description: 'D' } },
      },
    ],
    [
      'a completed Flow',
      nfmReply({ token: 't', params: { k: 'v' } }, { id, at, user, replyTo }),
      {
        context,
        ...from,
        type: 'interactive',
        interactive: {
          type: 'nfm_reply',
          nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"flow_token":"t","k":"v"}' },
        },
      },
    ],
    [
      'an image',
      image({ caption: 'Hi', id: '7', sha256: 'x' }, { id, at, user }),
      { ...from, type: 'image', image: { mime_type: 'image/jpeg', sha256: 'x', id: '7', caption: 'Hi' } },
    ],
    [
      'a changed number',
      systemMessage({ newWaId: '12195555358' }, { id, at, user }),
      {
        ...from,
        type: 'system',
        system: {
          body: 'User Ada changed from 16505551234 to 12195555358',
          wa_id: '12195555358',
          type: 'user_changed_number',
        },
      },
    ],
    [
      'a changed user id',
      systemMessage({ newUserId: 'MX.2' }, { id, at, user }),
      {
        ...from,
        type: 'system',
        system: {
          body: 'User changed from US.1 to MX.2',
          user_id: 'MX.2',
          previous_user_id: 'US.1',
          type: 'user_changed_user_id',
        },
      },
    ],
    [
      'any other message, with any other field',
      message('reaction', { message_id: replyTo, emoji: '' }, { id, at, user, fields: { later: 1 } }),
      { ...from, type: 'reaction', reaction: { message_id: replyTo, emoji: '' }, later: 1 },
    ],
    [
      'a status',
      statusUpdate({ messageId: id, status: 'read', at, user, fields: { biz_opaque_callback_data: 'x' } }),
      {
        id,
        status: 'read',
        timestamp,
        recipient_id: '16505551234',
        recipient_user_id: 'US.1',
        biz_opaque_callback_data: 'x',
      },
    ],
  ])('%s stands in the body as Meta documents it', (_, event, item) => expect(itemOf(event)).toEqual(item));

  test.each(['video', 'audio', 'document', 'sticker'] as const)('a %s has a type, a hash and an id', (type) => {
    expect(itemOf(media(type))[type]).toMatchObject({
      mime_type: expect.stringMatching(/^[a-z]+\/[a-z]/),
      sha256: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      id: expect.stringMatching(/^\d{16}$/),
    });
  });

  test('a status is priced until it is read, and a failed one says why and names nobody', () => {
    const [sent, failed] = (['sent', 'failed'] as const).map((status) => statusUpdate({ messageId: id, status }));
    expect(sent).toMatchObject({ item: { pricing: { pricing_model: 'PMP' } }, contact: { wa_id: '16505551234' } });
    expect(failed).toMatchObject({ item: { errors: [{ code: 131047, error_data: {} }] } });
    expect(failed).not.toHaveProperty('contact');
    expect(failed).not.toHaveProperty('item.pricing');
  });

  test('a completed Flow may have no token, and the token among its params wins', () => {
    const responseOf = (reply: Parameters<typeof nfmReply>[0]) =>
      (itemOf(nfmReply(reply)) as { interactive: { nfm_reply: { response_json: string } } }).interactive.nfm_reply;
    expect(responseOf({ params: { k: 1 } }).response_json).toBe('{"k":1}');
    expect(responseOf({ token: 'a', params: { flow_token: 'b' } }).response_json).toBe('{"flow_token":"b"}');
  });

  test.each([
    ['FLOW_STATUS_CHANGE', { old_status: 'DRAFT', new_status: 'PUBLISHED' }],
    ['CLIENT_ERROR_RATE', { error_rate: 14.28, errors: [{ error_type: 'INVALID_SCREEN_TRANSITION' }] }],
    ['ENDPOINT_ERROR_RATE', { threshold: 10, errors: [{ error_type: 'CAPABILITY_ERROR' }] }],
    ['ENDPOINT_LATENCY', { p90_latency: 8_000, p50_latency: 500, requests_count: 34, threshold: 7_000 }],
    ['ENDPOINT_AVAILABILITY', { availability: 75, threshold: 90, alert_state: 'ACTIVATED' }],
    ['FLOW_VERSION_EXPIRY_WARNING', { warning: expect.any(String) }],
  ] as const)('a %s alert has the fields of its kind, each to be overridden', (event, fields) => {
    expect(flowAlert(event, {}, { at })).toMatchObject({
      timeSec: Number(timestamp),
      value: { event, flow_id: expect.stringMatching(/^\d+$/), ...fields },
    });
    expect(flowAlert(event, { flow_id: '1' })).toHaveProperty('value.flow_id', '1');
  });

  test('somebody with a username may come without a number', () => {
    const body = bodyOf([textMessage('Hi', { user: { userId: 'US.9', username: 'ada', name: 'Ada' } })]);
    const value = body.entry[0]?.changes[0]?.value;
    expect(value).toMatchObject({ contacts: [{ profile: { name: 'Ada', username: 'ada' }, user_id: 'US.9' }] });
    expect(JSON.stringify(value)).not.toMatch(/"(wa_id|from)"/);
  });

  test('ids are made up as WhatsApp makes them, and no two are alike', () => {
    const ids = Array.from({ length: 100 }, () => String(itemOf(textMessage('Hi'))['id']));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^wamid\.HBgLMTY1MDU1NTEyMzQVAgASGB[QR][A-Za-z0-9+/]+={0,2}$/);
  });

  test('happens now unless told otherwise', () => {
    const ageSec = Date.now() / 1_000 - Number(itemOf(textMessage('Hi'))['timestamp']);
    expect(ageSec).toBeGreaterThanOrEqual(0);
    expect(ageSec).toBeLessThan(5);
  });
});

describe('a delivery', () => {
  test('holds a message as Meta documents it', () => {
    expect(delivery([textMessage('Hi', { id, at, user })], { wabaId: '1', phoneNumberId: '2' })).toEqual({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '1',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                metadata: { display_phone_number: '15550783881', phone_number_id: '2' },
                contacts: [{ profile: { name: 'Ada' }, wa_id: '16505551234', user_id: 'US.1' }],
                messages: [{ ...from, type: 'text', text: { body: 'Hi' } }],
              },
            },
          ],
        },
      ],
    });
  });

  test('holds an alert as Meta documents it', () => {
    const alert = flowAlert('ENDPOINT_LATENCY', { message: 'slow' }, { at });
    expect(delivery([alert], { wabaId: '1' })).toEqual({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '1',
          time: Number(timestamp),
          changes: [{ field: 'flows', value: { ...(alert as { value: object }).value, message: 'slow' } }],
        },
      ],
    });
  });

  test('gives neighbours of one kind a change of their own, and each alert an entry', () => {
    const text = textMessage('Hi', { user });
    const other = textMessage('Ho', { user: { ...user, waId: '2' } });
    const read = statusUpdate({ messageId: id, status: 'read', user });
    const alert = flowAlert('ENDPOINT_AVAILABILITY');
    const { entry } = bodyOf([text, text, other, read, text, alert, alert, systemMessage({ newWaId: '3' })]);
    const shape = entry.map(({ changes }) =>
      changes.map(({ field, value }) => [
        field,
        value.messages?.length ?? value.statuses?.length,
        value.contacts?.length,
      ]),
    );
    expect(shape).toEqual([
      [
        ['messages', 3, 2],
        ['messages', 1, 1],
        ['messages', 1, 1],
      ],
      [['flows', undefined, undefined]],
      [['flows', undefined, undefined]],
      [['messages', 1, undefined]], // a system message comes without contacts
    ]);
  });

  test('takes 1,000 events, and not one more', () => {
    const events = Array.from({ length: 1_001 }, () => textMessage('Hi'));
    expect(bodyOf(events.slice(1)).entry[0]?.changes[0]?.value.messages).toHaveLength(1_000);
    expect(() => delivery(events)).toThrow(RangeError);
  });

  test('of any mix has each event once, in order, and says the same on the wire', () => {
    const text = fc.string({ unit: 'binary' });
    const anyEvent = fc.oneof(
      text.map((body) => textMessage(body)),
      text.map((title) => buttonReply({ id: 'b', title })),
      fc.dictionary(text, fc.jsonValue()).map((params) => nfmReply({ token: 't', params })),
      fc.constantFrom('sent', 'failed').map((status) => statusUpdate({ messageId: id, status: status as 'sent' })),
      text.map((warning) => flowAlert('FLOW_VERSION_EXPIRY_WARNING', { warning })),
      fc.constant(systemMessage({ newWaId: '1' })),
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const wire = toWireText(delivery(events));
        expect(wire).toMatch(/^[\x20-\x7e]*$/);
        expect(eventsOf(JSON.parse(wire) as Body)).toEqual(
          events.map((event) => JSON.parse(JSON.stringify(event.kind === 'flows' ? event.value : event.item))),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('on the wire', () => {
  test('what is not ASCII is escaped in lower case, and slashes are too', () => {
    expect(toWireText({ a: 'äöå / 😮 <b>' })).toBe('{"a":"\\u00e4\\u00f6\\u00e5 \\/ \\ud83d\\ude2e <b>"}');
    expect(toWireText({ a: 'ä/x' })).toBe('{"a":"\\u00e4\\/x"}');
  });

  test('any JSON reads as it was written, and has other bytes when it is written again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: 'binary' })), (value) => {
        const wire = toWireText(value);
        expect(JSON.parse(wire)).toEqual(JSON.parse(JSON.stringify(value)));
        if (/[/\u0080-\uffff]/.test(JSON.stringify(value))) expect(JSON.stringify(JSON.parse(wire))).not.toBe(wire);
      }),
    );
  });
});

/** The messages, statuses and alerts of a body, in the order they stand in it. */
function eventsOf({ entry }: Body): unknown[] {
  const changes = entry.flatMap((one) => one.changes);
  return changes.flatMap(({ field, value }): unknown[] =>
    field === 'flows' ? [value] : [...(value.messages ?? []), ...(value.statuses ?? [])],
  );
}
