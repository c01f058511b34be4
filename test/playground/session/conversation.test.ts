import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import type { ExchangeReport, FlowReport, WebhookRequest } from '../../../src/playground/api.ts';
import type { FlowButton, Sent, SentReport } from '../../../src/playground/sent.ts';
import { toTest } from '../../../src/playground/web/inspector/copy-as-test.ts';
import type { ChatMessage } from '../../../src/playground/web/session/chat-messages.ts';
import { type Invitation, invitationOf } from '../../../src/playground/web/session/invitation.ts';
import { Session } from '../../../src/playground/web/session/session.ts';
import { eventually } from '../../support/eventually.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { currentPublicKey, type FakeAnswer, open } from '../support/fake-server.ts';

const COMPLETE = { name: 'complete', payload: { done: 'yes' } };
const footer = { type: 'Footer', label: 'Done', 'on-click-action': COMPLETE };
/** Another Flow of the app, with its endpoint of an older API. */
const other: FlowReport = {
  name: 'other',
  json: {
    version: '7.0',
    data_api_version: '3.0',
    routing_model: { START: ['NEXT'], NEXT: [] },
    screens: [
      { id: 'START', title: 'Start', data: { n: { type: 'number', __example__: 1 } }, layout: { children: [footer] } },
      { id: 'NEXT', title: 'Next', terminal: true, layout: { children: [footer] } },
    ],
  } as never,
  problems: [],
  hasCompleted: true,
};
const plain: FlowReport = { name: 'plain', problems: [], hasCompleted: false };

function start({ sendsToPhone = true, answer = answerBooking as (request: JsonObject) => FakeAnswer } = {}) {
  const [requests, webhooks, asked]: [JsonObject[], WebhookRequest[], number[]] = [[], [], []];
  const server = { bootId: 'boot', sent: [] as Sent[], isDown: false };
  const api = {
    publicKey: async () => currentPublicKey,
    token: async () => 'booking:minted',
    tokenSignature: async () => 'e30.e30.c2ln',
    webhook: async (request: WebhookRequest) => {
      webhooks.push(request);
      return { status: 200, tookMs: 1, body: '{}', items: [], messageId: `wamid.own${webhooks.length}` };
    },
    sent: async (after: number): Promise<SentReport> => {
      asked.push(after);
      if (server.isDown) throw new Error('away');
      return { bootId: server.bootId, nowMs: 0, sent: server.sent.filter(({ seq }) => seq > after) };
    },
    exchange: async (_flow: string, envelope: string): Promise<ExchangeReport> => {
      const opened = open(envelope);
      requests.push(opened?.request ?? {});
      const { status = 200, payload } = answer(opened?.request ?? {});
      const body = payload === undefined ? '' : (opened?.seal(JSON.stringify(payload)) ?? '');
      return { status, body, contentType: 'text/plain', tookMs: 1, requestBytes: 1, responseBytes: 1, stages: [] };
    },
  };
  const timing = {
    now: () => 0,
    pause: (ms: number) => (ms >= 10_000 ? new Promise<void>(() => {}) : Promise.resolve()),
  };
  const app = { bootId: 'boot', flows: [bookingReport, other, plain], sendsToPhone };
  const session = new Session(bookingReport, { app, api, timing, randomToken: () => 'random-token' });
  const receive = async (button: Partial<FlowButton>): Promise<Invitation | undefined> => {
    const seq = server.sent.length + 1;
    const content = { type: 'flow', body: 'B', button: { token: 'booking:t', flow: 'booking', ...button } } as const;
    server.sent.push({ seq, atMs: 0, kind: 'message', id: `wamid.${seq}`, content });
    await session.collect();
    const [message] = bubbles().slice(-1);
    return message && invitationOf(message.sent);
  };
  const bubbles = () =>
    session.store.value.messages.filter(
      (message): message is Extract<ChatMessage, { kind: 'business' }> => message.kind === 'business',
    );
  const openFlow = async (invitation: Invitation | undefined) => {
    if (invitation) await session.openFlow(invitation);
    await eventually(() => expect(session.store.value.phone.pending).toBeUndefined());
  };
  const shown = () => session.store.value.phone.frames.at(-1);
  return { session, server, requests, webhooks, asked, receive, bubbles, openFlow, shown };
}

describe('a message of the business', () => {
  test('is asked for after the last one, and stands in the chat', async () => {
    const { session, server, asked, bubbles } = start();
    server.sent.push({ seq: 7, atMs: 0, kind: 'message', id: 'w', content: { type: 'text', text: 'Thanks' } });
    await session.collect();
    await session.collect();
    expect(asked).toEqual([0, 7]);
    expect(bubbles()).toMatchObject([{ sent: { content: { text: 'Thanks' } } }]);
  });

  test('is not missed by one call, nor told twice by two that overlap', async () => {
    const { session, server, bubbles } = start();
    server.sent.push({ seq: 1, atMs: 0, kind: 'message', id: 'w', content: { type: 'text', text: 'Thanks' } });
    server.isDown = true;
    await session.collect();
    server.isDown = false;
    await Promise.all([session.collect(), session.collect()]);
    expect(bubbles()).toHaveLength(1);
  });

  test('of a server that was restarted is for the session after this one', async () => {
    const { session, server, bubbles } = start();
    server.bootId = 'another';
    server.sent.push({ seq: 1, atMs: 0, kind: 'message', id: 'w', content: { type: 'text', text: 'Thanks' } });
    await session.collect();
    expect(bubbles()).toEqual([]);
    expect(session.store.value.lastSeq).toBe(0);
  });

  test('is not asked for where the real Graph API has it', async () => {
    const { session, asked } = start({ sendsToPhone: false });
    await session.collect();
    expect(asked).toEqual([]);
  });
});

describe('the button of a message of the business', () => {
  test('opens the Flow with the token of the message, by asking the endpoint', async () => {
    const { session, requests, receive, openFlow, shown } = start();
    await session.sendFlowMessage();
    await openFlow(await receive({ token: `booking:${'a'.repeat(32)}`, user: 'ada' }));
    expect(requests).toEqual([
      {
        ...{ version: '4.0', action: 'INIT', flow_token: `booking:${'a'.repeat(32)}` },
        flow_token_signature: 'e30.e30.c2ln',
      },
    ]);
    expect(shown()?.screen).toBe('APPOINTMENT');
    const { steps, tokenChoice } = session.store.value;
    expect(toTest({ flow: 'booking', apiVersion: '4.0', steps })).toContain("mint({ flow: 'booking', user: 'ada' })");
    expect(tokenChoice, 'of the page’s own message').toEqual({ kind: 'random' });
  });

  test('opens it where the message says, with the data of the message, and asks nobody', async () => {
    const { session, requests, receive, openFlow, shown } = start();
    const start_ = { screen: 'START', data: { n: 7 } };
    await openFlow(await receive({ flow: 'other', token: 'other:t', start: start_ }));
    expect(requests).toEqual([]);
    expect(shown()).toMatchObject({ screen: 'START', data: { n: 7 } });
    expect(session.store.value).toMatchObject({ isFlowOpen: true, apiVersion: '3.0', chosen: 'booking' });
    expect(session.store.value.steps, 'a test phone cannot open it so').toEqual([]);
  });

  test('opens it at its first screen where a template brings the data alone', async () => {
    const { receive, openFlow, shown } = start();
    await openFlow(await receive({ flow: 'other', token: 'other:t', start: { data: { n: 8 } } }));
    expect(shown()).toMatchObject({ screen: 'START', data: { n: 8 } });
  });

  test.each([
    [{ screen: 'NEXT', data: {} }, 'NEXT is no screen to open the Flow with'],
    [{ screen: 'NOWHERE', data: {} }, 'the Flow has no screen NOWHERE'],
    [{ screen: 'START', data: { n: 'seven' } }, 'START.n'],
  ])('shows what is wrong with the place or the data of the message: %j', async (wrong, reason) => {
    const { session, receive, openFlow } = start();
    await openFlow(await receive({ flow: 'other', token: 'other:t', start: wrong }));
    expect(session.store.value.phone.failure?.reason).toContain(reason);
  });

  test('opens a Flow without Flow JSON, too', async () => {
    const { receive, openFlow, shown } = start();
    await openFlow(await receive({ flow: 'plain', start: { screen: 'ANY', data: { n: 1 } } }));
    expect(shown()).toMatchObject({ screen: 'ANY', data: { n: 1 } });
  });

  test('opens nothing where the app has no such Flow', async () => {
    const { session, receive } = start();
    const invitation = await receive({ flow: 'booking' });
    if (invitation) await session.openFlow({ ...invitation, flow: 'gone' });
    expect(session.store.value.isFlowOpen).toBe(false);
  });

  test('is off once the endpoint says 427, and that of other messages is not', async () => {
    const { session, receive, openFlow, bubbles } = start({ answer: () => ({ status: 427, payload: {} }) });
    await receive({ token: 'booking:first' });
    await openFlow(await receive({ token: 'booking:second' }));
    expect(session.store.value.phone.stage).toBe('expired');
    expect(bubbles().map(({ isDisabled }) => isDisabled)).toEqual([false, true]);
  });

  test('leads to a completion that answers the message; the page’s own message has none to answer', async () => {
    const { session, webhooks, receive, openFlow } = start();
    await openFlow(await receive({ flow: 'other', token: 'other:t', start: { data: {} } }));
    session.dispatch({ type: 'press', action: COMPLETE });
    await eventually(() => expect(webhooks).toHaveLength(1));
    expect(webhooks[0]).toEqual({
      ...{ kind: 'completion', flow: 'other', token: 'other:t', replyTo: 'wamid.1' },
      params: { done: 'yes', flow_token: 'other:t' },
    });
    session.leaveFlow();
    await session.sendFlowMessage();
    const [last] = session.store.value.messages.slice(-1);
    expect(last).toMatchObject({ kind: 'flow', flow: 'booking' });
    if (last?.kind === 'flow') await openFlow(last);
    session.dispatch({ type: 'press', action: COMPLETE });
    await eventually(() => expect(webhooks).toHaveLength(2));
    expect(webhooks[1]).not.toHaveProperty('replyTo');
    expect(webhooks[1]).toMatchObject({ flow: 'booking', token: 'random-token' });
  });
});

test('what the person wrote is known by the id that its webhook had', async () => {
  const { session } = start();
  await session.sendText('hi');
  expect(session.store.value.messages).toMatchObject([{ delivery: { report: { messageId: 'wamid.own1' } } }]);
});
