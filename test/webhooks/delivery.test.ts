import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import {
  buttonReply,
  type FlowAlertName,
  flowAlert,
  listReply,
  type MessageStatus,
  type MetaEvent,
  media,
  message,
  nfmReply,
  statusUpdate,
  systemMessage,
  textMessage,
} from '../../src/testing/index.ts';
import { itemsIn } from '../../src/webhooks/delivery.ts';
import type { NewItem } from '../../src/webhooks/inbox.ts';
import { anyDelivery, anyMetaEvent, changeOf, itemOf, itemsOf, RECEIVED_AT_MS } from '../support/any-delivery.ts';

const read = (body: string | Buffer) => itemsIn(Buffer.from(body), RECEIVED_AT_MS);
const readJson = (body: unknown) => read(JSON.stringify(body));
const typesIn = (items: readonly NewItem[]) => items.map(({ type }) => type);
const idsIn = (items: readonly NewItem[]) => items.map(({ id }) => id);
const rawIn = (items: readonly NewItem[]) => items.map(({ payload }) => payload['raw']);
const idOf = (event: MetaEvent) => itemOf(event).id;

const withoutPrototype = (key: string, member: unknown) => (key === '__proto__' ? undefined : member);

const at = new Date('2030-01-07T12:00:00Z');
const user = { waId: '16505551234', userId: 'US.1', name: 'Ada' };

describe('an event is stored under its type', () => {
  const messages: [string, MetaEvent][] = [
    ['message.text', textMessage('Hi')],
    ...(['image', 'video', 'audio', 'document', 'sticker'] as const).map((type): [string, MetaEvent] => [
      `message.${type}`,
      media(type),
    ]),
    ['message.button_reply', buttonReply({ id: 'b', title: 'Yes' })],
    ['message.list_reply', listReply({ id: 'r', title: 'T', description: 'D' })],
    ['message.interactive.nfm_reply', nfmReply({ token: 't', params: { k: 'v' } })],
    ['message.button', message('button', { payload: 'p', text: 'Yes' }, { replyTo: 'wamid.0' })],
    ['message.location', message('location', { latitude: 1.5, longitude: -2 })],
    ['message.contacts', message('contacts', [{ name: { formatted_name: 'Ada' } }])],
    ['message.reaction', message('reaction', { message_id: 'wamid.0', emoji: '' })],
    ['message.order', message('order', { catalog_id: '1', product_items: [] })],
    ['message.unsupported', message('unsupported', { type: 'poll' }, { fields: { errors: [{ code: 131051 }] } })],
    ['system', systemMessage({ newWaId: '1' })],
    ['system', systemMessage({ newUserId: 'US.2' })],
  ];
  const statuses = (['sent', 'delivered', 'read', 'played', 'failed'] as const).map((status): [string, MetaEvent] => [
    `status.${status}`,
    statusUpdate({ messageId: 'wamid.1', status }),
  ]);
  const alerts = (
    [
      ['flow.status_change', 'FLOW_STATUS_CHANGE'],
      ['flow.client_error_rate', 'CLIENT_ERROR_RATE'],
      ['flow.endpoint_error_rate', 'ENDPOINT_ERROR_RATE'],
      ['flow.endpoint_latency', 'ENDPOINT_LATENCY'],
      ['flow.endpoint_availability', 'ENDPOINT_AVAILABILITY'],
      ['flow.version_expiry_warning', 'FLOW_VERSION_EXPIRY_WARNING'],
    ] as const
  ).map(([type, name]): [string, MetaEvent] => [type, flowAlert(name)]);

  test.each([...messages, ...statuses, ...alerts])('%s', (type, event) => {
    expect(itemsOf(event)).toEqual([expect.objectContaining({ type, kind: 'event' })]);
  });

  test('error, for a problem that concerns no message', () => {
    const error = { code: 131031, title: 'locked', message: 'locked', error_data: { details: 'policy' } };
    const items = readJson(changeOf({ messaging_product: 'whatsapp', errors: [error, error] }));
    expect(typesIn(items)).toEqual(['error', 'error']);
    expect(rawIn(items)).toEqual([error, error]);
  });

  test.each<[string, MetaEvent]>([
    ['a message', message('poll', {})],
    ['a reply', message('interactive', { type: 'call_permission_reply', call_permission_reply: {} })],
    ['a status', statusUpdate({ messageId: 'wamid.1', status: 'deleted' as MessageStatus })],
    ['an alert', flowAlert('FLOW_DELETED' as FlowAlertName)],
  ])('unknown, for %s of a type that appeared without notice', (_, event) => {
    expect(typesIn(itemsOf(event))).toEqual(['unknown']);
  });

  test.each([['text'], 'toString', '__proto__', 'constructor', 'nfm_reply', { toString: 1 }, null, 7, ''])(
    'unknown, for a type, a status or an alert that reads %j',
    (name) => {
      const value = { messages: [{ id: 'a', type: name }], statuses: [{ id: 'a', status: name }] };
      expect(typesIn(readJson(changeOf(value)))).toEqual(['unknown', 'unknown']);
      const alert = { entry: [{ changes: [{ field: 'flows', value: { event: name } }] }] };
      expect(typesIn(readJson(alert))).toEqual(['unknown']);
    },
  );
});

describe('what is stored', () => {
  test('of a message: all that Meta sent of it, its sender, its number and its account', () => {
    const others = textMessage('Ho', { user: { waId: '2', name: 'Bob' } });
    const [item] = itemsOf(textMessage('Hi', { id: 'wamid.1', at, user, fields: { later: [1] } }), others);
    expect(item?.payload).toEqual({
      receivedAtMs: RECEIVED_AT_MS,
      entryId: '102290129340398',
      field: 'messages',
      metadata: { display_phone_number: '15550783881', phone_number_id: '106540352242922' },
      contact: { profile: { name: 'Ada' }, wa_id: '16505551234', user_id: 'US.1' },
      raw: {
        from: '16505551234',
        from_user_id: 'US.1',
        id: 'wamid.1',
        timestamp: '1894017600',
        type: 'text',
        text: { body: 'Hi' },
        later: [1],
      },
    });
  });

  test('of an alert: its value and the time of its entry', () => {
    const alert = flowAlert('ENDPOINT_AVAILABILITY', { flow_id: '1' }, { at });
    expect(itemOf(alert).payload).toEqual({
      receivedAtMs: RECEIVED_AT_MS,
      entryId: '102290129340398',
      entryTime: 1_894_017_600,
      field: 'flows',
      raw: (alert as { value: JsonObject }).value,
    });
  });

  test('of another field: the change, to be read once this version knows it', () => {
    const change = { field: 'account_update', value: { event: 'VERIFIED' } };
    const [item] = readJson({ entry: [{ id: '1', time: 5, changes: [change] }] });
    expect(item).toMatchObject({ type: 'unknown', payload: { field: 'account_update', entryTime: 5, raw: change } });
  });
});

describe('an id', () => {
  test('is evt_ and 32 hex digits', () => {
    for (const { id } of itemsOf(textMessage('Hi'), flowAlert('ENDPOINT_LATENCY'))) {
      expect(id).toMatch(/^evt_[0-9a-f]{32}$/);
    }
  });

  test('of any mix of events is the same however they are batched and ordered, and each event comes out once', () => {
    const mix = fc
      .array(anyMetaEvent, { minLength: 1, maxLength: 20 })
      .chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray(events, { minLength: events.length }),
          fc.integer({ min: 1, max: events.length }),
        ),
      );
    fc.assert(
      fc.property(mix, ([events, shuffled, batch]) => {
        const batches = Array.from({ length: Math.ceil(events.length / batch) }, (_, i) =>
          shuffled.slice(i * batch, (i + 1) * batch),
        );
        expect(batches.flatMap((some) => idsIn(itemsOf(...some))).sort()).toEqual(events.map(idOf).sort());
        const said = events.map((event) => (event.kind === 'flows' ? event.value : event.item));
        expect(rawIn(itemsOf(...events))).toEqual(JSON.parse(JSON.stringify(said), withoutPrototype));
      }),
    );
  });

  test('does not depend on when the delivery came', () => {
    const body = Buffer.from(JSON.stringify(changeOf({ messages: [{ type: 'text' }], errors: [{ code: 1 }] })));
    expect(idsIn(itemsIn(body, 1))).toEqual(idsIn(itemsIn(body, 2)));
  });

  test('of a message is its wamid alone: what Meta says of it later changes nothing', () => {
    const id = 'wamid.1';
    expect(idOf(textMessage('Hi', { id, at, user }))).toBe(idOf(textMessage('Hi', { id, user: { userId: 'US.9' } })));
    expect(idOf(textMessage('Hi', { id, at }))).not.toBe(idOf(textMessage('Hi', { id: 'wamid.2', at })));
  });

  test('of a status tells its message, status and participant apart, and nothing else', () => {
    const id = (messageId: string, status: MessageStatus, fields: JsonObject = {}) =>
      idOf(statusUpdate({ messageId, status, fields }));
    const distinct = [
      id('wamid.1', 'sent'),
      id('wamid.1', 'delivered'),
      id('wamid.2', 'sent'),
      id('wamid.1', 'sent', { recipient_participant_id: 'p1' }),
      id('wamid.1', 'sent', { recipient_participant_id: 'p2' }),
      idOf(textMessage('Hi', { id: 'wamid.1' })),
    ];
    expect(new Set(distinct).size).toBe(distinct.length);
    expect(id('wamid.1', 'sent', { timestamp: '1', pricing: { billable: false } })).toBe(distinct[0]);
  });

  test.each<[string, (fields: JsonObject) => MetaEvent]>([
    ['a message', (fields) => textMessage('Hi', { id: '', at, user, fields })],
    ['a status', (fields) => statusUpdate({ messageId: '', status: 'sent', at, user, fields })],
    ['an alert', (fields) => flowAlert('ENDPOINT_LATENCY', fields, { at })],
  ])('of %s that Meta gave none is made from everything it says', (_, event) => {
    expect(idOf(event({}))).toBe(idOf(event({})));
    expect(idOf(event({ more: 1 }))).not.toBe(idOf(event({})));
  });

  test('of an alert tells the times apart at which it was raised', () => {
    const later = new Date(at.getTime() + 1_000);
    const [first, second] = [at, later].map((raised) => idOf(flowAlert('ENDPOINT_LATENCY', {}, { at: raised })));
    expect(first).not.toBe(second);
  });
});

describe('what is not understood is stored, and takes nothing from its neighbours', () => {
  const good = { id: 'wamid.1', type: 'text', text: { body: 'Hi' } };
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);

  test.each([
    ['an entry', { entry: [null, 7, 'x', [], {}, { id: '1', changes: {} }] }, 6],
    [
      'a change',
      { entry: [{ changes: [null, 7, 'x', [], {}, { field: 'messages' }, { field: 'flows', value: 7 }] }] },
      7,
    ],
    ['a value', changeOf({ messages: [], statuses: [], errors: null }), 1],
    ['a list', changeOf({ messages: 'x', statuses: {} }), 2],
    ['a member of one', changeOf({ messages: [null, 7, 'x', []], statuses: [null] }), 5],
  ])('where %s should be', (_, body, count) => {
    expect(typesIn(readJson(body))).toEqual(Array(count).fill('unknown'));
  });

  test('beside what is', () => {
    const values = [{ messages: [7, good, { type: {} }, good] }, {}, { messages: [good], statuses: 'x' }];
    const changes = values.map((value) => ({ field: 'messages', value }));
    const [text, unknown] = ['message.text', 'unknown'];
    const types = [unknown, unknown, text, unknown, text, unknown, text, unknown];
    expect(typesIn(readJson({ entry: [null, { changes }] }))).toEqual(types);
  });

  test.each([
    '',
    ' ',
    'hello',
    '{"entry":[',
    'null',
    '7',
    '"x"',
    '[]',
    '{}',
    '{"entry":[]}',
    '{"entry":[{"changes":[]}]}',
  ])('where the body reads %j', (body) => expect(typesIn(read(body))).toEqual(['unknown']));

  test('as its text, where it is not JSON', () => {
    expect(rawIn(read('{"entry":['))).toEqual(['{"entry":[']);
    expect(rawIn(read(Buffer.of(0x7b, 0xff, 0xc3)))).toEqual(['{\ufffd\ufffd']);
  });

  test('a message with bytes in it that are no UTF-8 is a message', () => {
    const body = JSON.stringify(changeOf({ messages: [{ ...good, text: { body: '#' } }] }));
    const bytes = Buffer.from(body);
    bytes[body.indexOf('#')] = 0xff;
    expect(read(bytes)).toMatchObject([{ type: 'message.text', payload: { raw: { text: { body: '\ufffd' } } } }]);
  });

  test('a byte order mark before the body changes nothing', () => {
    const body = JSON.stringify(changeOf({ messages: [good] }));
    expect(read(`\ufeff${body}`)).toEqual(read(body));
  });

  test.each(['__proto__', '\\u005f_proto__', 'constructor'])('a member named %s reaches no prototype', (name) => {
    const body = JSON.stringify(changeOf({ messages: [good] })).replace(
      '"type"',
      `"${name}":{"prototype":{"polluted":1},"polluted":1},"type"`,
    );
    const [item] = read(body);
    expect(item).toMatchObject({ type: 'message.text', payload: { raw: good } });
    expect(Object.getPrototypeOf(item?.payload['raw'])).toBe(Object.prototype);
    expect(item?.payload['raw']).not.toHaveProperty('polluted');
  });

  test.each([
    ['the body', deep],
    ['a message with an id', JSON.stringify(changeOf({ messages: [good] })).replace('"Hi"', deep)],
    ['a message without one', JSON.stringify(changeOf({ messages: [{ type: 'text' }] })).replace('"text"', deep)],
    ['the context of one', JSON.stringify(changeOf({ messages: [good], metadata: 0 })).replace('0}', `${deep}}`)],
    ['an entry', `{"entry":[${deep}]}`],
  ])('%s, nested 100,000 deep', (_, body) => {
    const items = read(body);
    expect(typesIn(items)).toEqual(['unknown']);
    expect(rawIn(items)).toEqual([body]);
  });

  test('10,000 events in one body are taken apart, and more are stored whole', () => {
    const body = (count: number) =>
      JSON.stringify(
        changeOf({ statuses: Array.from({ length: count }, (_, id) => ({ id: `${id}`, status: 'read' })) }),
      );
    expect(new Set(idsIn(read(body(10_000)))).size).toBe(10_000);
    expect(read(body(10_001))).toMatchObject([{ type: 'unknown', payload: { raw: body(10_001) } }]);
  });
});

describe('whatever comes', () => {
  const expectItems = (items: readonly NewItem[]) => {
    expect(items.length).toBeGreaterThan(0);
    for (const { id, kind, payload } of items) {
      expect([id, kind]).toEqual([expect.stringMatching(/^evt_[0-9a-f]{32}$/), 'event']);
      expect(JSON.parse(JSON.stringify(payload))).toStrictEqual(payload);
    }
  };

  test('any JSON in any place of a delivery becomes items whose payloads survive JSON', () => {
    fc.assert(
      fc.property(anyDelivery, (body) => expectItems(readJson(body))),
      { numRuns: 300 },
    );
  });

  test('any bytes do', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectItems(read(Buffer.from(bytes)))));
  });
});
