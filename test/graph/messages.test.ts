import { describe, expect, test, vi } from 'vitest';
import { deadlineAt } from '../../src/clock.ts';
import { bounded, createGraphClient, type GraphClient } from '../../src/graph/client.ts';
import { userOf } from '../../src/graph/messages.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';

const TO = { to: '15550109988' };
const REMINDER = { name: 'booking_reminder', language: 'en_US' };

const clientOf = (graph: FakeGraph): GraphClient =>
  createGraphClient({ baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID });

describe('sendTemplate', () => {
  test('sends a template whose button opens a Flow, after what fills its variables', async () => {
    await using graph = await FakeGraph.start();
    const body = { type: 'body', parameters: [{ type: 'text', text: 'Ada' }] };
    const flow = { token: 'booking:1', data: { day: '2027-01-02' }, index: 1 };
    const sent = await clientOf(graph).sendTemplate(
      TO,
      { ...REMINDER, components: [body], flow },
      { replyTo: 'wamid.1' },
    );
    expect(graph.messages).toEqual([
      {
        id: sent.messageId,
        body: {
          messaging_product: 'whatsapp',
          recipient_type: 'individual',
          to: TO.to,
          context: { message_id: 'wamid.1' },
          type: 'template',
          template: {
            name: 'booking_reminder',
            language: { code: 'en_US' },
            components: [
              body,
              {
                type: 'button',
                sub_type: 'flow',
                index: '1',
                parameters: [
                  { type: 'action', action: { flow_token: 'booking:1', flow_action_data: { day: '2027-01-02' } } },
                ],
              },
            ],
          },
        },
      },
    ]);
  });

  test('sends the first button without data that is empty, as Meta demands', async () => {
    await using graph = await FakeGraph.start();
    await clientOf(graph).sendTemplate({ recipient: 'US.1' }, { ...REMINDER, flow: { token: 't', data: {} } });
    expect(graph.messages[0]?.body).toMatchObject({ recipient: 'US.1', template: { components: [{ index: '0' }] } });
    expect(JSON.stringify(graph.messages[0])).toContain('"action":{"flow_token":"t"}');
  });

  test('sends a template that has nothing to fill', async () => {
    await using graph = await FakeGraph.start();
    await clientOf(graph).sendTemplate(TO, REMINDER);
    expect(graph.messages[0]?.body['template']).toEqual({ name: 'booking_reminder', language: { code: 'en_US' } });
  });

  test.each([
    ['no name', { name: '' }, /name/],
    ['no language', { language: '' }, /language/],
    ['an empty token', { flow: { token: '' } }, /token/],
    ['no token', { flow: {} as never }, /token/],
    ['an eleventh button', { flow: { token: 't', index: 10 } }, /index/],
    ['half a button', { flow: { token: 't', index: 0.5 } }, /index/],
    ['components that are no list', { components: {} as never }, /components/],
    ['data that is no JSON', { flow: { token: 't', data: { price: 1n } } }, /BigInt/],
  ])('refuses %s with a TypeError, and sends nothing', async (_, change, named) => {
    await using graph = await FakeGraph.start();
    const refused = clientOf(graph).sendTemplate(TO, { ...REMINDER, ...change });
    await expect(refused).rejects.toThrow(expect.toSatisfy((error) => error instanceof TypeError));
    await expect(refused).rejects.toThrow(named);
    expect(graph.calls.count).toBe(0);
  });
});

describe('markRead', () => {
  test('marks the message read, and shows that an answer is being written when asked to', async () => {
    await using graph = await FakeGraph.start();
    expect(await clientOf(graph).markRead('wamid.1')).toBeUndefined();
    await clientOf(graph).markRead('wamid.2', { typing: true });
    expect(graph.reads).toEqual([
      { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.1' },
      { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.2', typing_indicator: { type: 'text' } },
    ]);
  });

  test('refuses no id with a TypeError', async () => {
    await using graph = await FakeGraph.start();
    await expect(clientOf(graph).markRead('')).rejects.toThrow(TypeError);
    expect(graph.calls.count).toBe(0);
  });

  test('takes no turn: any number of receipts go at once', async () => {
    await using graph = await FakeGraph.start();
    const own = { baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID };
    const client = createGraphClient({ ...own, messagesPerSecond: 1, maxWaiting: 0 });
    await Promise.all(Array.from({ length: 5 }, (_, i) => client.markRead(`wamid.${i}`)));
    expect(graph.reads).toHaveLength(5);
  });
});

test.each([
  [{ to: '15550109988' }, '15550109988'],
  [{ to: '+1 (555) 010-9988' }, '15550109988'],
  [{ to: 'somebody' }, 'somebody'],
  [{ recipient: 'US.13491208655302741918' }, 'US.13491208655302741918'],
])('the messages to %j are counted as those of %s', (recipient, user) => {
  expect(userOf(recipient)).toBe(user);
});

describe('a bounded client', () => {
  const clock = new FakeClock();
  const bounds = { signal: new AbortController().signal, deadline: deadlineAt(clock.nowMs() + 1_000, clock) };

  function setUp() {
    const call = vi.fn();
    const sends = { sendText: call, sendDocument: call, sendFlow: call, sendTemplate: call };
    return { client: bounded({ ...sends, markRead: call, mediaInfo: call }, bounds), call };
  }

  test('gives each call its signal and its deadline, and hands on what else it was asked', async () => {
    const { client, call } = setUp();
    await client.sendText(TO, 'Hi');
    await client.sendDocument(TO, 'document' as never, { replyTo: 'wamid.1' });
    await client.sendFlow(TO, 'flow' as never, {});
    await client.sendTemplate(TO, REMINDER);
    await client.markRead('wamid.1', { typing: true });
    await client.mediaInfo('1');
    expect(call.mock.calls).toEqual([
      [TO, 'Hi', bounds],
      [TO, 'document', { ...bounds, replyTo: 'wamid.1' }],
      [TO, 'flow', bounds],
      [TO, REMINDER, bounds],
      ['wamid.1', { ...bounds, typing: true }],
      ['1', bounds.signal],
    ]);
  });

  test('leaves a call the signal and the deadline it brings', async () => {
    const { client, call } = setUp();
    const own = { signal: new AbortController().signal, deadline: deadlineAt(clock.nowMs() + 5, clock) };
    await client.sendText(TO, 'Hi', own);
    await client.sendText(TO, 'Hi', { signal: own.signal, deadline: undefined });
    await client.mediaInfo('1', own.signal);
    expect(call.mock.calls[0]?.[2].signal).toBe(own.signal);
    expect(call.mock.calls[0]?.[2].deadline).toBe(own.deadline);
    expect(call.mock.calls[1]?.[2].deadline).toBe(bounds.deadline);
    expect(call.mock.calls[2]?.[1]).toBe(own.signal);
  });
});
