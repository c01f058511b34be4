import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import {
  buttonReply,
  flowAlert,
  listReply,
  type MetaEvent,
  media,
  message,
  nfmReply,
  statusUpdate,
  systemMessage,
  textMessage,
} from '../../src/testing/index.ts';
import { itemsIn } from '../../src/webhooks/delivery.ts';
import type { EventType } from '../../src/webhooks/event-types.ts';
import type { WebhookEvent } from '../../src/webhooks/events.ts';
import type { NewItem } from '../../src/webhooks/inbox.ts';
import { readEvent } from '../../src/webhooks/read-event.ts';
import { anyDelivery, changeOf, itemOf, RECEIVED_AT_MS } from '../support/any-delivery.ts';

const readItem = ({ id, type, payload }: NewItem) => readEvent(id, type as EventType, payload);
const read = (event: MetaEvent) => readItem(itemOf(event));
const readBody = (body: object) => itemsIn(Buffer.from(JSON.stringify(body)), RECEIVED_AT_MS).map(readItem);
const readStored = (type: string, payload: JsonObject) => readEvent('evt_1', type as EventType, payload);

const at = new Date('2030-01-07T12:00:00Z');
const user = { waId: '16505551234', userId: 'US.1', name: 'Ada' };

describe('a message', () => {
  test('has all that is known of it', () => {
    const item = itemOf(textMessage('Hi', { id: 'wamid.1', at, user, replyTo: 'wamid.0' }));
    expect(readItem(item)).toEqual({
      type: 'message.text',
      id: item.id,
      text: 'Hi',
      messageId: 'wamid.1',
      from: '16505551234',
      userId: 'US.1',
      profileName: 'Ada',
      phoneNumberId: '106540352242922',
      businessAccountId: '102290129340398',
      replyTo: 'wamid.0',
      sentAtMs: at.getTime(),
      receivedAtMs: RECEIVED_AT_MS,
      raw: item.payload['raw'],
    });
  });

  test.each<[MetaEvent, object]>([
    [
      media('document', { id: '7', sha256: 'x', filename: 'a.pdf', caption: 'Hi' }),
      { media: { id: '7', sha256: 'x', filename: 'a.pdf', caption: 'Hi', mimeType: 'application/pdf' } },
    ],
    [buttonReply({ id: 'b', title: 'Yes' }), { choice: { id: 'b', title: 'Yes', description: undefined } }],
    [
      listReply({ id: 'r', title: 'T', description: 'D' }),
      { choice: { id: 'r', title: 'T', description: 'D' }, replyTo: expect.stringMatching(/^wamid\./) },
    ],
    [message('button', { payload: 'p', text: 'Yes' }), { payload: 'p', text: 'Yes' }],
    [
      nfmReply({ token: 'booking:1', params: { slot: 9 } }),
      { name: 'flow', flowToken: 'booking:1', response: { flow_token: 'booking:1', slot: 9 } },
    ],
    [message('reaction', { emoji: '' }, { user }), { type: 'message.reaction', from: '16505551234' }],
    [
      systemMessage({ newUserId: 'US.2' }, { user }),
      { type: 'system', userId: 'US.1', raw: { system: { user_id: 'US.2' } } },
    ],
  ])('of each type has what is its own: $item.type', (event, own) => expect(read(event)).toMatchObject(own));

  test.each([
    ['message.text', { text: '' }],
    ['message.image', { media: {} }],
    ['message.button_reply', { choice: { id: '', title: '' } }],
    ['message.list_reply', { choice: { id: '', title: '' } }],
    ['message.button', {}],
    ['message.interactive.nfm_reply', {}],
    ['message.order', {}],
    ['system', {}],
    ['status.read', { status: 'read', errorCodes: [] }],
    ['flow.endpoint_latency', {}],
    ['error', { errorCodes: [] }],
    ['unknown', {}],
  ])('%s without any of its parts has nothing there, and does not throw', (type, rest) => {
    const base = { type, id: 'evt_1', receivedAtMs: 1, raw: {} };
    expect(readStored(type, { receivedAtMs: 1, raw: {} })).toEqual({ ...base, ...rest });
    expect(readStored(type, { receivedAtMs: 1, raw: null })).toEqual({ ...base, ...rest });
  });
});

describe('the sender of a message', () => {
  const hidden = { userId: 'US.9', username: 'ada', name: 'Ada' };

  test('who hides the number is known by the business-scoped id', () => {
    expect(read(textMessage('Hi', { user: hidden }))).toMatchObject({
      from: undefined,
      userId: 'US.9',
      profileName: 'Ada',
    });
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['number', { from: '1' }, { from: '1', userId: 'US.1', profileName: 'Ada' }],
    ['user id', { from_user_id: 'US.1' }, { from: '1', userId: 'US.1', profileName: 'Ada' }],
    [
      'user id rather than number',
      { from: '2', from_user_id: 'US.1' },
      { from: '2', userId: 'US.1', profileName: 'Ada' },
    ],
  ])('is found among the contacts by %s, wherever the contact stands', (_, sender, expected) => {
    const contacts = [
      { wa_id: '2', profile: { name: 'Bob' } },
      null,
      'contact',
      { wa_id: '1', user_id: 'US.1', profile: { name: 'Ada' } },
      { user_id: 'US.3' },
    ];
    for (const order of [contacts, [...contacts].reverse()]) {
      const [event] = readBody(changeOf({ contacts: order, messages: [{ ...sender, id: 'a', type: 'text' }] }));
      expect(event).toMatchObject(expected);
    }
  });

  test('is no contact that is about somebody else', () => {
    const contacts = [
      { wa_id: '2', user_id: 'US.2', profile: { name: 'Bob' } },
      { wa_id: '', user_id: '' },
    ];
    const messages = [
      { id: 'a', type: 'text', from: '1' },
      { id: 'b', type: 'text' },
    ];
    const nobody = { userId: undefined, profileName: undefined };
    expect(readBody(changeOf({ contacts, messages }))).toMatchObject([
      { from: '1', ...nobody },
      { from: undefined, ...nobody },
    ]);
  });
});

describe('the response of a completed Flow', () => {
  const respond = (response_json: unknown) =>
    read(message('interactive', { type: 'nfm_reply', nfm_reply: { name: 'flow', response_json } } as JsonObject));

  test('is parsed a second time', () => {
    const response = { flow_token: 'unused', list: [1, null], text: 'ä "quoted"' };
    expect(respond(JSON.stringify(response))).toMatchObject({ response, flowToken: 'unused' });
  });

  test.each(['', '{"a":', '[1]', '"x"', '7', 'null', undefined, null, 7, { a: 1 }])('is absent for %j', (text) => {
    expect(respond(text ?? null)).toMatchObject({ name: 'flow', response: undefined, flowToken: undefined });
  });

  test.each([{}, { flow_token: '' }, { flow_token: 7 }, { flow_token: null }])('has no token in %j', (response) => {
    expect(respond(JSON.stringify(response))).toMatchObject({ response, flowToken: undefined });
  });

  test('reaches no prototype', () => {
    const { response } = respond('{"__proto__":{"polluted":1},"k":1}') as { response: object };
    expect(response).toEqual({ k: 1 });
    expect(response).not.toHaveProperty('polluted');
  });
});

describe('a status', () => {
  test('has its message, its recipient and the number it was sent from', () => {
    expect(read(statusUpdate({ messageId: 'wamid.1', status: 'read', user, at }))).toMatchObject({
      type: 'status.read',
      status: 'read',
      messageId: 'wamid.1',
      recipient: '16505551234',
      recipientUserId: 'US.1',
      phoneNumberId: '106540352242922',
      sentAtMs: at.getTime(),
      errorCodes: [],
    });
  });

  test('of a message that failed has the codes, of whatever errors have one', () => {
    const errors = [{ code: 131047 }, { code: '1' }, null, {}, { code: 131026 }];
    const event = statusUpdate({ messageId: 'wamid.1', status: 'failed', fields: { errors } });
    expect(read(event)).toMatchObject({ errorCodes: [131047, 131026] });
  });
});

describe('an alert', () => {
  test.each([
    ['CLIENT_ERROR_RATE', { error_rate: 14.28 }, 14.28],
    ['ENDPOINT_ERROR_RATE', { error_rate: 0 }, 0],
    ['ENDPOINT_LATENCY', { p90_latency: 8_000 }, 8_000],
    ['ENDPOINT_AVAILABILITY', { availability: 75 }, 75],
    ['ENDPOINT_LATENCY', { p90_latency: '8000' }, undefined],
  ] as const)('%s with %j is about that value', (name, content, value) => {
    const event = read(flowAlert(name, { ...content, flow_id: '1', threshold: 7, message: 'slow' }, { at }));
    const expected = { flowId: '1', alertState: 'ACTIVATED', threshold: 7, message: 'slow', sentAtMs: at.getTime() };
    expect(event).toMatchObject({ ...expected, value });
  });

  test('of a change of status tells the new one, and a warning is its message', () => {
    expect(read(flowAlert('FLOW_STATUS_CHANGE'))).toMatchObject({ newStatus: 'PUBLISHED', alertState: undefined });
    expect(read(flowAlert('FLOW_VERSION_EXPIRY_WARNING', { warning: 'soon' }))).toMatchObject({ message: 'soon' });
  });

  test.each(['RESOLVED', null, 1])('has no state that is called %j', (alert_state) => {
    expect(read(flowAlert('ENDPOINT_LATENCY', { alert_state }))).toMatchObject({ alertState: undefined });
  });
});

test('an error has its code and the number it is about', () => {
  const value = { metadata: { phone_number_id: '2' }, errors: [{ code: 131031 }] };
  expect(readBody(changeOf(value))).toMatchObject([{ type: 'error', errorCodes: [131031], phoneNumberId: '2' }]);
});

test('what is unknown has its field, or its text where it was not JSON', () => {
  const entry = [{ changes: [{ field: 'account_update', value: {} }] }];
  expect(readBody({ entry })).toMatchObject([{ type: 'unknown', field: 'account_update', text: undefined }]);
  expect(itemsIn(Buffer.from('{'), 1).map(readItem)).toMatchObject([{ field: undefined, text: '{', raw: {} }]);
});

test.each<[unknown, number | undefined]>([
  ['1894017600', 1_894_017_600_000],
  ['0', 0],
  [1_894_017_600, 1_894_017_600_000],
  ...['', ' 1', '-1', '1.5', '1e3', '0x1', 'now', '1234567890123', Number.MAX_VALUE, null, true, [1]].map(
    (said): [unknown, undefined] => [said, undefined],
  ),
])('a timestamp of %j is %j', (timestamp, sentAtMs) => {
  expect(readStored('message.text', { receivedAtMs: 1, raw: { timestamp } as JsonObject })).toMatchObject({ sentAtMs });
});

test('whatever was delivered can be read, under the type it was stored as', () => {
  const parse = (body: unknown) => itemsIn(Buffer.from(JSON.stringify(body)), RECEIVED_AT_MS);
  fc.assert(
    fc.property(anyDelivery, (body) => {
      for (const item of parse(body)) {
        const event: WebhookEvent = readItem(item);
        expect(event).toMatchObject({ id: item.id, type: item.type, receivedAtMs: RECEIVED_AT_MS });
        expect(event.sentAtMs ?? 0).toSatisfy(Number.isSafeInteger);
      }
    }),
    { numRuns: 300 },
  );
});
